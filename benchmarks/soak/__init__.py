"""Mixed traffic for a long time: does anything hang, leak, or fail for somebody else's fault."""
