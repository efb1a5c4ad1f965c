"""Texts whose words are as frequent as those of a language: the n-th word comes about 1/n as often as the first."""

from collections.abc import Sequence
from itertools import accumulate
from random import Random

_COMMON = (
    "the of and to in is a it that for on with as this are be at from or by an not have was can which what where how "
    "picture shows there one you we they has will more if so about who out up when your all please number red left "
    "right top line page error message see screen read total two first name date button price table green blue "
    "invoice chart corner colour box label text amount screenshot part cable receipt value below above between"
)
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe qui ro sa te vi wo xa yo zu bra cle dri flo gru sta tre vin"
_CHARACTERS = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定"
    "行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些"
    "然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公"
    "无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将"
    "组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金"
    "增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类"
)
# The rarest words come a few times in a million texts.
VOCABULARY = 60_000


class Language:
    """Words with their weights. `space` stands between them."""

    def __init__(self, words: Sequence[str], space: str) -> None:
        self._words = words
        self._space = space
        self._weights = list(accumulate(1 / (rank + 2) for rank in range(len(words))))

    def text(self, random: Random, words: int) -> str:
        """A text of so many words."""
        return self._space.join(random.choices(self._words, cum_weights=self._weights, k=words))

    def word(self, rank: int) -> str:
        """The word that is this frequent; 0 is the most frequent one."""
        return self._words[rank]


def english(random: Random) -> Language:
    """Real words where they are frequent, made-up ones where they are not."""
    made = dict.fromkeys(_COMMON.split())
    syllables = _SYLLABLES.split()
    while len(made) < VOCABULARY:
        made["".join(random.choices(syllables, k=random.randint(2, 5)))] = None
    return Language(list(made), " ")


def chinese(random: Random) -> Language:
    """Words of one or two characters, the second half of them of any two."""
    frequent = list(dict.fromkeys(_CHARACTERS))
    made = dict.fromkeys(frequent[:60])
    while len(made) < VOCABULARY // 2:
        made["".join(random.choices(frequent, k=2))] = None
    while len(made) < VOCABULARY:
        made["".join(chr(random.randrange(0x4E00, 0x9FA5)) for _ in range(2))] = None
    return Language(list(made), "")
