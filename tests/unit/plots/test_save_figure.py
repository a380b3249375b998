"""Saving a figure, and how its numbers are written."""

import pytest

from stress.plots import save, style
from stress.plots.words import plural, significant, times


@pytest.fixture
def ax():
    ax = style.new_axes()
    ax.plot([0, 1], [0, 1])
    style.headline(ax, "A question?", "a sample")
    return ax


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_ending_chooses_the_format(ax, tmp_path, ending, magic):
    path = save(ax, tmp_path / f"figure.{ending}")
    assert path.read_bytes().startswith(magic)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_same_figure_is_the_same_bytes(ax, tmp_path, ending):
    first, second = (save(ax, tmp_path / f"{name}.{ending}").read_bytes() for name in "ab")
    assert first == second


def test_dpi_sets_the_pixels(ax, tmp_path):
    header = save(ax, str(tmp_path / "figure.png"), dpi=75).read_bytes()[16:24]
    assert (int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")) == (600, 375)


def test_an_unknown_ending_is_refused_and_the_known_ones_named(ax, tmp_path):
    with pytest.raises(ValueError, match=r"\.png, \.svg, \.pdf; got 'figure\.gif'"):
        save(ax, tmp_path / "figure.gif")


def test_a_long_title_is_set_smaller():
    short, long = style.new_axes(), style.new_axes()
    style.headline(short, "short", "")
    style.headline(long, "long " * 20, "")
    assert long._left_title.get_fontsize() < short._left_title.get_fontsize()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1240, "1,240"), (0.0321, "0.0321"), (-7.5, "−7.5"), (999.9, "1,000"), (1e-7, "0.0000001")],  # noqa: RUF001
)
def test_numbers_are_written_without_exponents(value, text):
    assert significant(value) == text


def test_counts_agree_with_their_word():
    assert (plural(1, "path"), plural(20_000, "path")) == ("1 path", "20,000 paths")


def test_leverage_is_written_as_a_multiple():
    assert times(12.5) == "12.5\N{MULTIPLICATION SIGN}"
