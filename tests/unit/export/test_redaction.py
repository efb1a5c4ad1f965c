"""What is taken out of texts, and what stays, in English and Chinese."""

import pytest

from core.export.known_names import KnownNames
from core.export.options import Redact
from core.export.redaction import Redactor

ALL = frozenset(Redact)
REGIONS = ("CN", "US")


def redacted(text: str, *chosen: Redact, names: tuple[str, ...] = ()) -> str:
    return Redactor(chosen or ALL, regions=REGIONS, names=names).text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to ann.lee+shop@mail.example.co.uk, please.", "Write to [EMAIL], please."),
        ("<ann@example.org>; mailto:bob@example.org.", "<[EMAIL]>; mailto:[EMAIL]."),
        ("我的邮箱ann@example.com谢谢", "我的邮箱[EMAIL]谢谢"),
        ("jürgen@müller.example", "[EMAIL]"),
        ("全角ann＠example.com", "全角[EMAIL]"),
        ("Call +47 912 34 567 today", "Call [PHONE] today"),
        ("call (212) 555-0123 or 650 253 0000", "call [PHONE] or [PHONE]"),
        ("我的电话是13812345678，或者 138 1234 5678", "我的电话是[PHONE]，或者 [PHONE]"),
        ("座机 010-62551234 转 8", "座机 [PHONE] 转 8"),
        ("card 4111 1111 1111 1111 exp 12/29", "card [CARD] exp 12/29"),
        ("卡号5500005555555559。", "卡号[CARD]。"),
        ("amex 3782-822463-10005!", "amex [CARD]!"),
        ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [IBAN] please"),
        ("NO9386011117947 is mine", "[IBAN] is mine"),
        ("身份证11010519491231002X是我的", "身份证[ID]是我的"),
        ("SSN 536-90-4399.", "SSN [ID]."),
        ("ask @ann_lee or <@U012AB3CD>", "ask [NAME] or [NAME]"),
        ("请问@ann_lee在吗", "请问[NAME]在吗"),
        # As input methods, other scripts and word processors write them.
        ("ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "[EMAIL]"),
        ("卡号４１１１ １１１１　１１１１ １１１１。", "卡号[CARD]。"),
        ("card ٤١١١١١١١١١١١١١١١", "card [CARD]"),
        ("card 4111–1111–1111–1111", "card [CARD]"),
        ("ＤＥ８９ ３７０４ ００４４ ０５３２ ０１３０ ００ please", "[IBAN] please"),
        ("身份证１１０１０５１９４９１２３１００２Ｘ", "身份证[ID]"),
        ("SSN 536‑90‑4399.", "SSN [ID]."),
        ("电话１３８１２３４５６７８", "电话[PHONE]"),
        # Copied from pages that say where a line may break.
        ("ann\u200b@example\u00ad.org", "[EMAIL]"),
        ("4111\u200b1111\u200b1111\u20601111", "[CARD]"),
    ],
)
def test_what_is_taken_out(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "It costs 1,299.00 euros, or $12 345.67, or ￥129900.",
        "Order 2024112600, invoice 20241126-001, tracking 1Z999AA10123456784",
        "on 2024-11-26 at 10:30, 26.11.2024, 11/26/2024, 20241126103000",
        "订单号 202411260012345，价格￥1299.00，日期2024年11月26日，共 12 件",
        "ISBN 978-3-16-148410-0, EAN 4006381333931, version 10.0.19045.3693, 192.168.100.200",
        "4111 1111 1111 1112 has a wrong check digit, and 0000 0000 0000 0000 is none",
        "serial 13912345678901 and 6502530000",
        "DE00 3704 0044 0532 0130 00 is no account, nor is 110105194912310021 anybody's",
        "a@b, name@, @, user@localhost, 3 @ 5 each, twenty@once.",
        "3.14159265358979323846 and 1e10; 50%; 12-13 people; 1920x1080; #c0ffee",
        "第12345号，房间 1203，电话簿，邮箱",
        "价格１２９９元，１２－１３人；👩\u200d👩\u200d👧 می\u200cخواهم",
    ],
)
def test_what_stays(text: str) -> None:
    assert redacted(text) == text


def test_only_what_was_chosen() -> None:
    text = "ann@example.org, +47 912 34 567, 4111 1111 1111 1111, @ann_lee"
    assert redacted(text, Redact.PHONE) == "ann@example.org, [PHONE], 4111 1111 1111 1111, @ann_lee"
    assert redacted(text, Redact.CARD, Redact.EMAIL) == "[EMAIL], +47 912 34 567, [CARD], @ann_lee"
    assert Redactor((), regions=REGIONS, names=("ann",)).text(text) == text


def test_it_counts() -> None:
    redactor = Redactor(ALL, regions=REGIONS, names=("Ann Lee",))
    redactor.text("Ann Lee: a@example.org, b@example.org, +47 912 34 567")
    redactor.text("ann lee")
    assert redactor.counts == {"email": 2, "phone": 1, "name": 2}


def test_numbers_without_a_country_need_a_region() -> None:
    assert Redactor(ALL).text("(212) 555-0123 and +1 212 555 0123") == "(212) 555-0123 and [PHONE]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann lee and ANN  LEE and Ann-Lee", "[NAME] and [NAME] and [NAME]"),
        ("Ann said that Lee will", "[NAME] said that [NAME] will"),
        ("anniversary, Leeds, annlee", "anniversary, Leeds, annlee"),
        ("Will is there; will he come?", "[NAME] is there; will he come?"),
        ("请王小明来，小明说不行", "请[NAME]来，[NAME]说不行"),
        ("Conan O'Brien, O’Brien’s hat", "[NAME], O’[NAME]’s hat"),
        ("J. R. is short, 42 a number", "J. R. is short, 42 a number"),
    ],
)
def test_names(text: str, expected: str) -> None:
    known = KnownNames(["Ann Lee", "Will", "王小明", "Conan O'Brien", "x", "42", ""])
    assert known.take_out(text, "[NAME]")[0] == expected
