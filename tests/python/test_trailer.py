# SPDX-License-Identifier: BSD-2-Clause
"""What stands after a JPEG's EOI: not kept, but counted and named, and nothing points there."""

import io

import numpy as np
import pytest
from PIL import Image

import pcr
from images import encode, orientation_exif, picture, pixels_of

MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(range(256)) * 4
PLAIN = encode(picture(1, 48, 40), quality=85)


def multi_picture(**options):
    """A multi-picture file of two frames."""
    first, second = (Image.fromarray(picture(seed, 64, 48)) for seed in (1, 2))
    out = io.BytesIO()
    first.save(out, "MPO", save_all=True, append_images=[second], **options)
    return out.getvalue()


def first_frame(mpo):
    """Its first frame as a file: up to EOI, without the index (APP2 "MPF")."""
    at = mpo.index(b"MPF\0") - 4
    end = at + 2 + int.from_bytes(mpo[at + 2:at + 4], "big")
    return mpo[:at] + mpo[end:mpo.index(b"\xff\xd9") + 2]


MPO = multi_picture()
TRAILERS = {
    "MP4": MP4,
    "another JPEG": PLAIN,
    "MP4 in a Samsung trailer": b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data" + MP4 + b"SEFH\1SEFT",
    "MP4 ": b"mpv2\0\0\0\1" + MP4,  # after eight bytes of a separator
    "Samsung trailer": b"\0\0\1\x0a\x0e\0\0\0Image_UTC_Data16SEFH\1SEFT",
    "text": b"\r\nsecret",
    "a ZIP archive": b"\0\0PK\3\4 and so on",
    "unknown": b"\x81\x82\x83",
}
FILL = [b"", b"\0" * 1000, b"\xff" * 7, b"\r\n"]


def write_one(where, data, **options):
    report = pcr.write(where, [("a.jpg", data)], **options)
    return report.progress, pcr.open(where)


@pytest.mark.parametrize("coding", ("packed", "scans"))
@pytest.mark.parametrize("name", TRAILERS)
def test_named_and_counted(name, coding, tmp_path):
    progress, ds = write_one(tmp_path / "out", PLAIN + TRAILERS[name], coding=coding)
    with ds:
        size = len(TRAILERS[name])
        assert ds[0].coding == coding
        assert (progress.samples_dropped, progress.dropped_nbytes) == (1, size)
        found = ds.describe()
        assert (found["dropped_count"], found["dropped_nbytes"]) == (1, size)
        assert ds.notes() == [{"index": 0, "key": "a.jpg", "dropped": name.strip(),
                               "dropped_nbytes": size}]
        assert np.array_equal(ds[0].decode(), pixels_of(PLAIN))


@pytest.mark.parametrize("fill", FILL)
def test_fill_is_not_worth_a_word(fill, tmp_path):
    progress, ds = write_one(tmp_path / "out", PLAIN + fill)
    with ds:
        assert progress.samples_dropped == 0 and ds.notes() == []


def test_multi_picture(tmp_path):
    mpo = multi_picture(exif=orientation_exif(3), icc_profile=b"a profile" * 9)
    progress, ds = write_one(tmp_path / "out", mpo)
    with ds:
        assert ds.notes()[0]["dropped"] == "MPO frames"
        assert progress.dropped_nbytes == len(mpo) - mpo.index(b"\xff\xd9") - 2
        with Image.open(io.BytesIO(mpo)) as was, \
                Image.open(io.BytesIO(ds[0].read())) as image:
            assert was.format == "MPO" and was.n_frames == 2
            assert image.format == "JPEG" and getattr(image, "n_frames", 1) == 1
            assert image.info["icc_profile"] == was.info["icc_profile"]
            assert image.getexif()[0x0112] == 3
            assert np.array_equal(np.asarray(image), np.asarray(was))
        assert b"MPF\0" not in ds[0].read()


def test_index_stays_where_nothing_is_dropped(tmp_path):
    """Frames that were gone before are no loss of ours."""
    cut = MPO[:MPO.index(b"\xff\xd9") + 2]
    progress, ds = write_one(tmp_path / "out", cut)
    with ds:
        assert progress.samples_dropped == 0 and b"MPF\0" in ds[0].read()


def test_index_is_left_out_at_every_fidelity(tmp_path):
    _, ds = write_one(tmp_path / "out", MPO)
    whole = first_frame(MPO)
    with ds:
        for fidelity in range(1, ds.group_count + 1):
            assert b"MPF\0" not in ds[0].read(fidelity)
        assert np.array_equal(ds[0].decode(), pixels_of(whole))


def test_what_is_kept_whole_keeps_it(tmp_path):
    png = encode(picture(1, 20, 20), "PNG") + MP4
    progress, ds = write_one(tmp_path / "out", png)
    with ds:
        assert progress.samples_dropped == 0 and ds[0].read() == png


def test_counts_outlive_an_interruption(tmp_path):
    class Stop(Exception):
        pass

    files = [PLAIN + MP4 if i % 3 else PLAIN for i in range(9)] + [b"RIFF\x24\0\0\0WEBPVP8 "]
    calls = [None]  # of the sample to stop at; None: it goes on

    def sample(number):
        def load():
            if number == 7 and calls[0] is not None:
                calls[0] += 1
                if calls[0] == 2:  # the first is the survey's
                    raise Stop
            return files[number]
        return f"{number}.jpg", load

    samples = [sample(number) for number in range(len(files))]
    options = dict(record_samples=2, threads=1, on_bad="opaque", shuffle=False)
    pcr.write(tmp_path / "whole", samples, **options)
    calls[0] = 0
    with pytest.raises(Stop):
        pcr.write(tmp_path / "parts", samples, **options)
    calls[0] = None
    report = pcr.write(tmp_path / "parts", samples, **options).progress
    assert report.records_kept >= 2
    assert (report.samples_dropped, report.dropped_nbytes) == (6, 6 * len(MP4))
    assert report.samples_undecodable == 1
    assert ((tmp_path / "parts" / "manifest.json").read_bytes()
            == (tmp_path / "whole" / "manifest.json").read_bytes())
