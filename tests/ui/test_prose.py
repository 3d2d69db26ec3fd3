from cgcnn.ui.prose import PARTED, plain, prose
from page_kit import PAGES


def test_a_file_name_in_a_mistake_is_shown_letter_by_letter() -> None:
    assert plain("![x](http://far.away/x.png)").replace("\\", "").replace(PARTED, "") == "![x](http://far.away/x.png)"
    assert "\\!\\[" in plain("![x](y)") and "\\<" in plain("<b>") and "\\$" in plain("$x$")


def test_addresses_and_entities_in_a_mistake_are_not_read_as_such() -> None:
    assert plain("&lt;") == "\\&lt;"
    for address in ("www.evil.example", "WWW.evil.example", "a@b.co", "http://evil.example"):
        assert PARTED in plain(address) and plain(address).replace(PARTED, "").replace("\\", "") == address
    assert plain("NaCl_2.cif 0.5") == "NaCl\\_2.cif 0.5", "names stay as they are"


def test_every_page_explains_what_it_shows() -> None:
    for page in PAGES:
        text = prose(page, "What am I looking at?")
        assert text.count(".") <= 4, "three sentences at most, for a reader who is on the way"
