from cgcnn.ui.prose import plain, prose
from page_kit import PAGES


def test_a_file_name_in_a_mistake_is_shown_letter_by_letter() -> None:
    assert plain("![x](http://far.away/x.png)").replace("\\", "") == "![x](http://far.away/x.png)"
    assert "\\!\\[" in plain("![x](y)") and "\\<" in plain("<b>") and "\\$" in plain("$x$")


def test_every_page_explains_what_it_shows() -> None:
    for page in PAGES:
        text = prose(page, "What am I looking at?")
        assert text.count(".") <= 4, "three sentences at most, for a reader who is on the way"
