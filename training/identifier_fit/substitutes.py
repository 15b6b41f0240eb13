"""Another identifier of the same make: the same words' number, case and marks, other names, places and digits.

Input : "O'Malley, Siobhan" and its kind     Output: "Tsegaye, Folasade"
Knows the lists of names and towns, and makes words of syllables for names that no list has.
"""

from __future__ import annotations

import random
import re

from training.deidentify.identifier_head.marks import LISTS, STREETS
from training.deidentify.kinds import Kind
from training.deidentify.vocabulary import rules, vocabulary, word_list

_ONSETS = "b bl br c ch cl cr d dr f fl g gl gr h j k kh kl kr l m n p ph pr r s sh sk sl st str t th tr ts v w y z zh".split()
_VOWELS = "a a a e e e i i o o u ai au ea ee ei ia ie oo ou y".split()
_CODAS = "b ck d f ff g k l ll m n n n nd ng nt p r r rd rk rt s ss st t th tz v x z".split()
_ENDS = "son ton ham ley ford by field well worth man berg stein ski sky ova ez es ini elli oglu yan ian ng wala kar nen sen dottir vich".split()
_MONTHS = "January February March April May June July August September October November December".split()
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_KEPT = frozenset(
    "the of and at de la del los las el al van von der den da dos bin binti ap ni y le du des st st. dr mr mrs ms in on near th nd rd".split()
)
_PIECE = re.compile(r"[A-Za-zÀ-ɏḀ-ỿ]+(?:'[A-Za-zÀ-ɏḀ-ỿ]+)?|\d+|[\u3400-\u9fff]|.", re.S)
_LINKED = frozenset("年月日号时分岁初旬中上下底正农历民国")
_PLACE_UNITS = frozenset(
    "省市县区镇乡村路街道巷弄号栋楼室里院厂校店队站桥河湖山江寺庙城州旗盟组幢座层苑园东西南北中大小学医附属第一二三四五六七八九十人民医院公司集团有限卫生所社区幼儿院教会堂市场广场花新"
)
_NICK = frozenset("小老阿")
_OFTEN = 0.5
_CHINESE_WORD = 0.1
_CHINESE_WORDS = (
    "夏天 春天 秋生 高兴 平安 黎明 安静 文静 于是 方便 万一 时间 明白 光明 和平 希望 幸福 健康 自强 向前 进步 团结 丰收 长江 黄河 泰山 白云 青山 流水 大海 "
    "太阳 月亮 星星 彩虹 晴天 小雨 大雪 冬梅 金秋 常规 何时 任何 方向 高度 温和 严重 安全 容易 成功 胜利 牛奶 苹果 石榴 杏仁 白糖 马上 水平 平静 清楚 清明 端午 "
    "立春 谷雨 年华 江南 海南 云南 华北 东方 西部 北方 南方 中华 国庆 建设 解放 人民 勇敢 聪明 可爱 快乐 美丽 温柔 诚信 公正 正义 当归 远志 杜仲 桂枝 茯苓 黄芪 "
    "景天 连翘 半夏 天冬 路通 程度 项目 单位 包括 经常 时常 越来越 毛病 余下 全部 全程 甘草 石头 金属 钢铁 铁路 花生 关于 关节 管理 牧场 谢谢 许多 许可 应该 强壮 强度"
).split()
"""Words of every day that are names too."""


class Substitutes:
    """Draws them; `drawn` decides everything."""

    def __init__(self, drawn: random.Random) -> None:
        self._drawn = drawn
        words = vocabulary()
        self._first = sorted(word_list(LISTS / "first_names.txt") | words.given)
        self._last = sorted(word_list(LISTS / "last_names.txt") | words.names)
        self._towns = sorted(word_list(LISTS / "towns.txt"))
        self._brands, self._eponyms = sorted(words.proper), sorted(words.eponyms)
        self._also = sorted(words.also_words)
        self._ordinary = words.ordinary
        self._generic = (
            words.cues["generic_places"]
            | STREETS
            | frozenset(rules("facilities.yaml")["sure"])
            | frozenset(rules("facilities.yaml")["medical"])
        )
        self._sure = sorted(rules("facilities.yaml")["sure"])
        self._english = sorted(word for word in words.ordinary if 3 < len(word) < 9 and word.isalpha())
        chinese = rules("chinese.yaml")
        self._surnames = "".join(chinese["surnames"])
        self._given = "".join(chinese["given"])
        self._sound = "".join(chinese["transliteration"]) + "斯特里克莱奥马罗安伊瓦索菲纳杰德布鲁尔逊恩姆"
        self._cities = chinese["cities"]
        self._place = (
            "".join(self._cities)
            + "青石柳荷桂松竹梅云龙凤白黄清泉溪塘湾岭坪坝岗桥古荡沙高洪丰华兴长永安平和文德福康乐明光星阳春秋翠碧锦"
        )
        self._all_han = "".join(chr(code) for code in range(0x4E00, 0x9FA5))

    def of(self, identifier: str, kind: Kind) -> str:
        """One drawn anew."""
        if kind is Kind.NAME:
            return self._name(identifier)
        if kind is Kind.PLACE:
            return self._a_place(identifier)
        if kind is Kind.DATE:
            return self._date(identifier)
        return self._number(identifier, kind)

    def name_word(self) -> str:
        """Of a person, in small letters: listed, a word of English, or made up."""
        draw = self._drawn.random()
        if draw < 0.35:
            return self._drawn.choice(self._first)
        if draw < 0.66:
            return self._drawn.choice(self._last)
        if draw < 0.72:
            return self._drawn.choice(self._also)
        if draw < 0.82:
            return self._drawn.choice(self._english)
        return self._made()

    def place_word(self) -> str:
        draw = self._drawn.random()
        if draw < 0.45:
            return self._drawn.choice(self._towns)
        if draw < 0.6:
            return self._drawn.choice(self._last)
        if draw < 0.75:
            return self._drawn.choice(self._english)
        return self._made()

    def brand(self) -> str:
        """Of a drug or device, with a capital."""
        word = self._drawn.choice(self._brands) if self._drawn.random() < _OFTEN else self._made()
        return word.capitalize()

    def eponym(self) -> str:
        """Someone after whom a disease is called, with a capital."""
        word = self._drawn.choice(self._eponyms if self._drawn.random() < _OFTEN else self._last)
        return word.capitalize()

    def sound(self) -> str:
        """A drug or eponym in Chinese characters."""
        return "".join(self._drawn.choice(self._sound) for _ in range(self._drawn.choice((2, 3, 3, 4))))

    def _made(self) -> str:
        drawn = self._drawn
        word = "".join(drawn.choice(_ONSETS) + drawn.choice(_VOWELS) for _ in range(drawn.choice((1, 1, 2, 2, 3))))
        return word + drawn.choice(_ENDS if drawn.random() < 0.35 else _CODAS)

    def _name(self, name: str) -> str:
        if _is_chinese(name):
            return self._chinese_name(name)
        return "".join(
            piece
            if not piece[0].isalpha() or piece.lower() in _KEPT
            else self._initial(piece)
            if len(piece) == 1
            else self._like(self.name_word(), piece)
            for piece in _PIECE.findall(name)
        )

    def _initial(self, piece: str) -> str:
        letter = self._drawn.choice("ABCDEFGHIJKLMNOPRSTVWYZ")
        return letter if piece.isupper() else letter.lower()

    def _chinese_name(self, name: str) -> str:
        drawn, pieces = self._drawn, []
        if len(name) > 1 and name.isalpha() and drawn.random() < _CHINESE_WORD:
            return drawn.choice(_CHINESE_WORDS)
        foreign = "·" in name or "•" in name or len(name) > 4 or all(letter in self._sound for letter in name)
        for at, letter in enumerate(name):
            if not "\u3400" <= letter <= "\u9fff":
                pieces.append(self._like(self.name_word(), letter) if letter.isalpha() else letter)
            elif at == 0 and letter in _NICK and len(name) == 2:
                pieces.append(letter)
            elif foreign:
                pieces.append(drawn.choice(self._sound))
            elif at == 0 or (at == 1 and name[0] in _NICK):
                pieces.append(drawn.choice(self._surnames[: drawn.choice((30, 120, 999))]))
            else:
                pieces.append(drawn.choice(self._given if drawn.random() < 0.8 else self._all_han))
        return "".join(pieces)

    def _a_place(self, place: str) -> str:
        drawn, pieces = self._drawn, []
        for piece in _PIECE.findall(place):
            lower = piece.lower()
            if piece.isdigit():
                pieces.append(self._digits(piece))
            elif "\u3400" <= piece <= "\u9fff":
                kept = piece in _PLACE_UNITS and drawn.random() < 0.93
                pieces.append(piece if kept else drawn.choice(self._place if drawn.random() < 0.7 else self._all_han))
            elif not piece[0].isalpha() or lower in _KEPT or piece.islower():
                pieces.append(piece)
            elif len(piece) == 1 or (any(map(str.isdigit, place)) and piece.isupper() and len(piece) < 5):
                pieces.append("".join(drawn.choice("ABCDEFGHJKLMNPRSTWY") for _ in piece))
            elif lower in self._generic:
                pieces.append(self._like(drawn.choice(self._sure), piece) if drawn.random() < 0.15 else piece)
            else:
                pieces.append(self._like(self.place_word(), piece))
        return "".join(pieces)

    def _date(self, date: str) -> str:
        drawn, pieces = self._drawn, []
        for piece in _PIECE.findall(date):
            lower = piece.lower()
            months = [month for month in _MONTHS if len(lower) > 2 and month.lower().startswith(lower[:3])]
            days = [day for day in _WEEKDAYS if len(lower) > 2 and day.lower().startswith(lower[:3])]
            if piece.isdigit():
                value = int(piece)
                top = 12 if value <= 12 else 31 if value <= 31 else 0
                new = (
                    drawn.randint(1, top)
                    if top
                    else value
                    if value < 1900 and value > 99
                    else value + drawn.randint(-6, 3)
                )
                pieces.append(f"{abs(new):0{len(piece)}d}" if piece[0] == "0" or len(piece) > 2 else str(abs(new)))
            elif months and drawn.random() < _OFTEN:
                new_month = drawn.choice(_MONTHS)
                pieces.append(
                    self._like(new_month if len(piece) > 4 or months[0].lower() == lower else new_month[:3], piece)
                )
            elif days and drawn.random() < _OFTEN:
                pieces.append(
                    self._like(
                        drawn.choice(_WEEKDAYS) if len(piece) > 4 else drawn.choice(_WEEKDAYS)[: len(piece)], piece
                    )
                )
            else:
                pieces.append(piece)
        return "".join(pieces)

    def _number(self, number: str, kind: Kind) -> str:
        drawn = self._drawn
        worded = kind in (Kind.EMAIL, Kind.URL, Kind.PHOTO)
        pieces = []
        for piece in _PIECE.findall(number):
            if piece.isdigit():
                pieces.append(self._digits(piece))
            elif piece[0].isalpha() and piece.isascii() and (worded or len(piece) < 5):
                pieces.append(
                    self._like(self.name_word(), piece)
                    if worded and len(piece) > 3 and drawn.random() < 0.7
                    else piece
                    if worded or drawn.random() < 0.3
                    else "".join(
                        drawn.choice("ABCDEFGHJKLMNPQRSTUVWXYZ")
                        if letter.isupper()
                        else drawn.choice("abcdefghkmnprstvxz")
                        for letter in piece
                    )
                )
            else:
                pieces.append(piece)
        return "".join(pieces)

    def _digits(self, piece: str) -> str:
        kept = piece[: self._drawn.choice((0, 1, 3))] if len(piece) > 5 else piece[:1] if piece[0] == "0" else ""
        first = kept or self._drawn.choice("123456789")
        return first + "".join(self._drawn.choice("0123456789") for _ in piece[len(first) :])

    @staticmethod
    def _like(word: str, like: str) -> str:
        if like.isupper() and len(like) > 1:
            return word.upper()
        return word[0].upper() + word[1:] if like[0].isupper() else word.lower()


def _is_chinese(text: str) -> bool:
    return any("\u3400" <= letter <= "\u9fff" for letter in text)
