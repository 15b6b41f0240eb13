from tests.cds_hooks.conftest import Served


def test_the_about_page_says_what_it_is_and_what_silence_means(web: Served):
    answer = web.http.get("/about")
    assert answer.status_code == 200
    assert "no medical device" in answer.text
    assert "没有卡片不代表没有问题" in answer.text


def test_pages_run_no_script(web: Served):
    answer = web.http.get("/about")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in answer.text
