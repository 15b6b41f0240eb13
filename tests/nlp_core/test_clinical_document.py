"""C-CDA documents give their sections; headers and restricted parts stay out."""

from __future__ import annotations

import pytest

from nlp_core.clinical_document import xml_text
from nlp_core.unreadable import Unreadable

HEADER = "<recordTarget><patientRole><patient><name>Jane Roe</name></patient></patientRole></recordTarget>"


def document(body: str, header: str = HEADER) -> str:
    inside = f"{header}<component>{body}</component>"
    return f'<?xml version="1.0" encoding="gbk"?><ClinicalDocument xmlns="urn:hl7-org:v3">{inside}</ClinicalDocument>'


def sections(*found: str) -> str:
    return document(f"<structuredBody>{''.join(f'<component>{entry}</component>' for entry in found)}</structuredBody>")


def test_sections_with_titles_lists_and_tables_in_order() -> None:
    history = (
        "<section><title>History</title><text><paragraph>Chest  pain</paragraph>"
        "<list><item>sweating</item><item>nausea</item></list></text></section>"
    )
    results = (
        "<section><title>Results</title>"
        "<text><table><tbody><tr><td>Troponin</td><td>52 ng/L</td></tr></tbody></table></text>"
        "<entry><observation><value value='52'/></observation></entry><component><section><title>Imaging</title>"
        "<text>Normal<br/>film <content revised='delete'>mass</content></text></section></component></section>"
    )
    assert xml_text(sections(history, results)) == (
        "History\nChest pain\n\n- sweating\n- nausea\n\nResults\nTroponin\t52 ng/L\n\nImaging\nNormal\nfilm"
    )


def test_confidential_sections_and_documents_are_left_out_unless_allowed() -> None:
    secret = "<section><confidentialityCode code='R'/><title>HIV</title><text>secret</text></section>"
    public = "<section><title>Plan</title><text>rest</text></section>"
    assert xml_text(sections(secret, public)) == "Plan\nrest"
    assert "secret" in xml_text(sections(secret, public), allow_restricted=True)
    whole = document("<structuredBody/>", header="<confidentialityCode code='V'/>")
    with pytest.raises(Unreadable, match="restricted"):
        xml_text(whole)


def test_a_body_without_structure_is_read_when_it_is_text() -> None:
    assert (
        xml_text(
            document(
                "<nonXMLBody><text mediaType='text/plain' representation='B64'>Q2hlc3QgcGFpbg==</text></nonXMLBody>"
            )
        )
        == "Chest pain"
    )
    assert xml_text(document("<nonXMLBody><text>Chest pain</text></nonXMLBody>")) == "Chest pain"
    with pytest.raises(Unreadable, match="not-text"):
        xml_text(
            document("<nonXMLBody><text mediaType='application/pdf' representation='B64'>JVBERi0=</text></nonXMLBody>")
        )


def test_other_xml_gives_its_words_and_empty_ones_say_so() -> None:
    assert xml_text("<report><finding>Infiltrate</finding></report>") == "Infiltrate"
    for empty in ("<a/>", document("<structuredBody/>"), document("")):
        with pytest.raises(Unreadable, match="not-available"):
            xml_text(empty)


def test_html_behind_an_xml_declaration_is_read_as_html() -> None:
    assert (
        xml_text('<?xml version="1.0"?><html><head><title>t</title></head><body>x<script>y</script></body></html>')
        == "x"
    )


def test_sections_nested_too_deep_end_quietly() -> None:
    section = "<section><title>deep</title></section>"
    for _ in range(20):
        section = f"<section><title>t</title><component>{section}</component></section>"
    assert "deep" not in xml_text(sections(section))


def test_names_in_the_header_never_come_out() -> None:
    assert "Roe" not in xml_text(sections("<section><title>Plan</title><text>rest</text></section>"))
