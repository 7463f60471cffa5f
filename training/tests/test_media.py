"""What the recipes for sounds and pictures have in common with what they are measured by."""

import numpy as np
import pytest
import torch
from PIL import Image

from training import noise
from training.audio_deepfake.chain import passed
from training.audio_deepfake.clips import features
from training.audio_denoising.mixtures import mixed, si_snr
from training.audio_denoising.network import KERNEL, small_sepformer
from training.speech import RATE
from training.video_enhancement.network import small_swin2sr
from training.video_enhancement.pictures import halved, prepare


def picture() -> Image.Image:
    """Smooth waves of colour."""
    y, x = np.mgrid[0:192, 0:256]
    waves = [128 + 100 * np.sin(x / (5 + k)) * np.cos(y / (9 - k)) for k in range(3)]
    return Image.fromarray(np.stack(waves, -1).astype(np.uint8))


def test_the_small_swin2sr_begins_near_a_bicubic_filter() -> None:
    torch.manual_seed(0)
    model = small_swin2sr().eval()
    small = halved(picture())
    given = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        found = model(pixel_values=given).reconstruction[0].permute(1, 2, 0).numpy() * 255
    bicubic = np.asarray(small.resize(picture().size, Image.Resampling.BICUBIC), float)
    inside = slice(16, -16)
    assert np.abs(found - bicubic)[inside, inside].mean() < 3


def test_crops_of_both_sizes_show_the_same() -> None:
    crops = prepare([picture()], seed=1)
    assert len(crops) > 0
    for small, large in zip(crops.small[:20], crops.large[:20], strict=True):
        again = np.asarray(halved(Image.fromarray(large)), float)
        assert np.abs(again - small)[4:-4, 4:-4].mean() < 6


def test_the_filters_of_the_small_sepformer_lose_nothing() -> None:
    model = small_sepformer()
    heard = torch.randn(1, 40 * KERNEL)
    with torch.inference_mode():
        back = model.decoder(model.encoder(heard)).reshape(1, -1)
    inside = slice(KERNEL, -KERNEL)
    assert torch.allclose(back[0, inside], heard[0, inside], atol=1e-4)


@pytest.mark.parametrize("ratio", [-5.0, 10.0])
def test_speech_and_noise_are_mixed_at_a_ratio(ratio: float) -> None:
    rng = np.random.default_rng(0)
    clean = np.sin(np.arange(4 * RATE) / 7).astype(np.float32)
    heard, wanted = mixed(clean, noise.coloured(rng, len(clean)), ratio)
    assert np.mean(heard**2) == pytest.approx(1, abs=1e-3)
    assert si_snr(heard, wanted) == pytest.approx(ratio, abs=0.5)
    assert si_snr(3 * heard, wanted) == pytest.approx(si_snr(heard, wanted), abs=1e-4)


@pytest.mark.parametrize("made", noise.MADE)
def test_made_noise_is_sound(made: noise.Maker) -> None:
    found = made(np.random.default_rng(3), RATE)
    assert found.shape == (RATE,)
    assert np.isfinite(found).all() and found.std() > 0


def test_the_chain_leaves_one_loudness_and_a_narrow_band() -> None:
    rng = np.random.default_rng(5)
    spoken = (3000 * rng.standard_normal(2 * RATE)).astype(np.int16)
    clips = [passed(spoken // factor, np.random.default_rng(9)) for factor in (1, 4)]
    for clip in clips:
        _, level, bandwidth, _ = features(clip)
        assert level == pytest.approx(20 * np.log10(0.06), abs=1)
        assert bandwidth < 0.9
