from pathlib import Path

import numpy as np
import pytest

from relume.image import Picture, read_picture, write_picture
from relume.image.iptc import records_of, text_of

RECORDS = b"\x1c\x02\x69\x00\x08headline" + b"\x1c\x02\x78\x00\x07caption"


def picture(**metadata: bytes) -> Picture:
    return Picture(pixels=np.full((8, 9, 3), 0.5, np.float32), **metadata)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_records_survive(tmp_path: Path, name: str, bits: int):
    write_picture(picture(iptc=RECORDS).replace(bits=bits), tmp_path / name)
    found = read_picture(tmp_path / name)
    assert (found.iptc or b"").rstrip(b"\0") == RECORDS


def test_records_as_text_with_and_without_a_resource():
    assert records_of(text_of(RECORDS)) == RECORDS
    assert records_of(f"\niptc\n {len(RECORDS)}\n{RECORDS.hex()}\n") == RECORDS
    assert records_of("\niptc\n 9\nxyz\n") is None
    assert records_of("") is None


def test_xmp_too_long_for_one_segment_survives_a_jpeg(tmp_path: Path):
    inner = b"".join(b"<dc:subject>%d</dc:subject>" % number for number in range(9000))
    packet = (
        b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/'
        b'22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">%s</rdf:Description>'
        b'</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ) % inner
    assert len(packet) > 150_000
    write_picture(picture(xmp=packet), tmp_path / "a.jpg")
    found = read_picture(tmp_path / "a.jpg").xmp
    assert found is not None
    assert inner in found
    assert b"HasExtendedXMP" not in found
    write_picture(picture(xmp=found), tmp_path / "b.jpg")
    assert inner in (read_picture(tmp_path / "b.jpg").xmp or b"")
