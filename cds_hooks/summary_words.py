"""The fixed words of the summary card in English and Chinese; what it shares with the other card is card_words'."""

from __future__ import annotations

from nlp_core.assessment import SummaryHeading, Words

HEADINGS: dict[SummaryHeading, Words] = {
    "problem": Words(en="Problems", zh="问题"),
    "course": Words(en="Course", zh="经过"),
    "medication": Words(en="Current medication", zh="目前用药"),
    "pending": Words(en="Pending", zh="待办"),
}
SUMMARY = Words(en="Record summary: {count} quoted sentences", zh="病历摘要：摘录{count}句")
SUMMARY_OF_ONE = Words(en="Record summary: 1 quoted sentence", zh="病历摘要：摘录1句")
LABEL = Words(en="dxspan – record summary", zh="dxspan——病历摘要")
CHOSEN_BY = Words(
    en="Sentences chosen by AI, quoted word for word, in no way complete; coded medication is not looked at; model {model}.",
    zh="句子由人工智能挑选，逐字引用，并不完整；未查看结构化用药记录；模型 {model}。",
)
