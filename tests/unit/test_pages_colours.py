"""Colours of the pages: WCAG 2.2 contrasts in light and dark, and ratings that stay apart without colour vision."""

import re
from itertools import combinations
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[2] / "api" / "static" / "css" / "tokens.css").read_text(encoding="utf-8")
Rgb = tuple[float, float, float]
# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear light.
BLINDNESS: dict[str, tuple[Rgb, Rgb, Rgb]] = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def themes() -> dict[str, dict[str, str]]:
    """The colours by name as a light and as a dark page has them; print is light on white paper."""
    screen, print_ = TOKENS.split("@media print")
    both = re.findall(r"--([\w-]+):\s*light-dark\((#[0-9a-fA-F]{6}), (#[0-9a-fA-F]{6})\)", screen)
    one = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{6});", screen))
    found = {
        "light": one | {name: light for name, light, _ in both},
        "dark": one | {name: dark for name, _, dark in both},
    }
    return found | {"print": found["light"] | dict(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{6});", print_))}


THEMES = themes()


def linear(colour: str) -> Rgb:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return red, green, blue


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def seen(colour: str, blindness: str) -> Rgb:
    """The colour in OKLab as seen with ``blindness``."""
    rgb = linear(colour)
    r, g, b = (max(0.0, sum(k * c for k, c in zip(row, rgb, strict=True))) for row in BLINDNESS[blindness])
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["page", "surface", "sunken"])
@pytest.mark.parametrize("text", ["ink", "soft", "link", "warn"])
def test_text_can_be_read(theme: str, ground: str, text: str) -> None:
    # WCAG 2.2 §1.4.3, level AA.
    assert contrast(THEMES[theme][text], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["page", "surface"])
@pytest.mark.parametrize("mark", ["bad", "good", "exemplary", "edge"])
def test_marks_stand_out(theme: str, ground: str, mark: str) -> None:
    # WCAG 2.2 §1.4.11.
    assert contrast(THEMES[theme][mark], THEMES[theme][ground]) >= 3


@pytest.mark.parametrize("theme", THEMES)
def test_buttons_can_be_read(theme: str) -> None:
    for ground in ("button", "button-over"):
        assert contrast(THEMES[theme]["button-ink"], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_the_focus_can_be_seen(theme: str) -> None:
    # WCAG 2.2 §2.4.13: a ring of two colours, one of which stands out wherever it lies.
    focus, ring = THEMES[theme]["focus"], THEMES[theme]["focus-ring"]
    assert contrast(focus, ring) >= 7
    for ground in ("page", "surface", "sunken", "brand", "accent"):
        assert max(contrast(each, THEMES[theme][ground]) for each in (focus, ring)) >= 3


def test_every_colour_of_the_tokens_has_a_light_and_a_dark_form_or_is_the_same_in_both() -> None:
    assert THEMES["light"].keys() == THEMES["dark"].keys()
    assert {"page", "ink", "bad", "good", "exemplary"} <= THEMES["light"].keys()


@pytest.mark.parametrize("theme", THEMES)
def test_the_simulated_band_and_the_header_can_be_read(theme: str) -> None:
    assert contrast(THEMES[theme]["accent"], THEMES[theme]["accent-ink"]) >= 7
    assert contrast(THEMES[theme]["brand"], THEMES[theme]["brand-ink"]) >= 7


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_the_three_ratings_stay_apart_for_every_eye(theme: str, blindness: str) -> None:
    for one, other in combinations(("bad", "good", "exemplary"), 2):
        pair = (seen(THEMES[theme][name], blindness) for name in (one, other))
        apart = sum((a - b) ** 2 for a, b in zip(*pair, strict=True)) ** 0.5
        # 0.02 is about a just noticeable difference in OKLab.
        assert apart > 0.08, (one, other, round(apart, 3))
