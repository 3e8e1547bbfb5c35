"""Pictures of other programs: Pillow's deep images and subclasses, arrays of other types, files that are cut off."""

import io

import numpy as np
import pytest

import faceattend

image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def gray(media):
    """A gray picture of a face, as 8 bits."""
    return image.open(media / "hopper" / "center.jpg").convert("L")


def deep(gray, factor):
    return image.fromarray((np.asarray(gray).astype(np.float64) * factor).astype(np.int32), "I")


def pixels(picture):
    return faceattend.decode_image(picture).to_numpy("rgb")


def test_deeper_gray_is_scaled_to_eight_bits(gray, engine):
    expected = pixels(gray)
    sixteen = image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    assert sixteen.mode.startswith("I;16")
    values = np.asarray(gray).astype(np.float32)
    forms = {
        "I;16": sixteen,
        "I of 8 bits": deep(gray, 1),
        "I of 16 bits": deep(gray, 257),
        "F from 0 to 1": image.fromarray(values / np.float32(255)),
        "F from 0 to 255": image.fromarray(values),
        "F from 0 to 65535": image.fromarray(values * np.float32(257)),
    }
    for name, picture in forms.items():
        assert np.array_equal(pixels(picture), expected), name
    assert engine.embed(sixteen) is not None
    # As a file, which our own decoder reads.
    file = io.BytesIO()
    sixteen.save(file, "PNG")
    assert np.array_equal(pixels(file.getvalue()), expected)


@pytest.mark.parametrize("change", [lambda v: v - 300, lambda v: v * 1000, lambda v: v * np.float32("nan")])
def test_values_of_no_known_range_are_refused(gray, change):
    values = change(np.asarray(gray).astype(np.float32))
    with pytest.raises(faceattend.InvalidInputError, match="mode F must hold values"):
        pixels(image.fromarray(values))


def test_an_image_of_a_subclass_is_taken(gray):
    class Photograph(image.Image):
        """As plug-ins and applications make them."""

    photograph = Photograph()
    photograph.__setstate__(gray.convert("RGB").__getstate__())
    assert type(photograph).__module__ == __name__
    assert np.array_equal(pixels(photograph), pixels(gray))


@pytest.mark.parametrize("dtype", ["uint16", "int32", "float32", "float64", "bool"])
def test_an_array_of_another_type_is_refused_by_name(gray, dtype):
    with pytest.raises(faceattend.InvalidInputError, match=f"{dtype}, expected uint8"):
        pixels(np.asarray(gray).astype(dtype))


@pytest.mark.parametrize("form", ["JPEG", "progressive", "PNG", "WEBP"])
def test_a_picture_that_is_cut_off_is_an_error(gray, form):
    file = io.BytesIO()
    options = {"progressive": True} if form == "progressive" else {}
    gray.convert("RGB").save(file, "JPEG" if form == "progressive" else form, **options)
    whole = file.getvalue()
    for part in (30, 50, 90):
        with pytest.raises(faceattend.InvalidImageError):
            faceattend.decode_image(whole[: len(whole) * part // 100])
    if form in ("JPEG", "progressive"):
        assert np.array_equal(pixels(whole[:-2]), pixels(whole))
