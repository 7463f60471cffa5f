"""Pictures and videos at twice their size: a small Swin2SR."""

SLOT = "video_enhancement"
MODEL = "swin2sr-x2-small"
