from xml.etree import ElementTree

import pytest

from relume.image.xmp import DIGITAL_SOURCE_TYPE, with_provenance

OLD = (
    b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/'
    b'22-rdf-syntax-ns#"><rdf:Description rdf:about="uuid:1" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    b'xmlns:iptc="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"%s dc:rights="mine">%s</rdf:Description>'
    b'</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
NAMES = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"


@pytest.mark.parametrize(
    "before",
    [
        None,
        OLD % (b"", b""),
        OLD % (b' iptc:DigitalSourceType="camera"', b""),
        OLD % (b"", b"<iptc:DigitalSourceType>camera</iptc:DigitalSourceType>"),
    ],
    ids=["none", "other", "attribute", "element"],
)
def test_a_packet_says_once_what_worked_on_it(before: bytes | None):
    after = with_provenance(with_provenance(before, "first", "1"), "a & b", "2")
    tree = ElementTree.fromstring(after)
    values = {e.tag: e.text for e in tree.iter() if e.tag.startswith(NAMES)}
    assert values == {
        f"{NAMES}DigitalSourceType": DIGITAL_SOURCE_TYPE,
        f"{NAMES}AISystemUsed": "a & b",
        f"{NAMES}AISystemVersionUsed": "2",
    }
    assert after.count(b"DigitalSourceType>") == 2
    assert b"camera" not in after
    assert (b'dc:rights="mine"' in after) == (before is not None)
    assert before is None or after.count(b'rdf:about="uuid:1"') == after.count(b"rdf:about")


def test_what_is_no_packet_stays():
    assert with_provenance(b"\xff\xfe<\0", "a", "b") == b"\xff\xfe<\0"
