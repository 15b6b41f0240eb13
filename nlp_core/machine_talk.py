"""Sentences in a note that speak to a machine and tell nothing of a patient: "ignore previous instructions".

Input : a sentence. Output: whether it is told to nobody who reads for a patient's sake.
Knows turns of phrase that charts do not use, in English and Chinese. What such a sentence names is still found by name, and ruled as
everywhere; only the encoder, which would find it near to something, is not asked.
"""

from __future__ import annotations

import re

_TURNS = (
    r"\b(?:ignore|disregard|forget|override|bypass)\b[^.]{0,30}\b(?:instructions?|prompts?|rules|guidelines|the (?:chart|notes?))\b",
    r"</?(?:instructions?|system|prompt|note|assistant|user)\b[^>]{0,40}>",
    r"^\W*(?:system|assistant|model|chatbot|bot)\s*[:,]",
    r"^\W*(?:output|print|answer|reply|respond)\b",
    r"\b(?:system prompt|your prompt|end prompt|begin prompt|language model|chatbot|ai (?:model|assistant))\b",
    r"\brank (?:it|this|that|them)? ?(?:first|last|highest|lowest|top)\b",
    r"\b(?:drop|hide|suppress|remove|omit|delete) (?:every|any|all|the) (?:other )?(?:suggestions?|diagnos[ei]s|cards?|warnings?|answers?)\b",
    r"\bset\b[^.]{0,20}\bprobabilit(?:y|ies)\b",
    r"\b(?:indicator|severity) (?:critical|= ?critical)\b",
    r"\bwith (?:a )?probability (?:of )?(?:[01]?\.\d+|\d+ ?%)",
    "(?:忽略|无视|無視|忘记|忘記|绕过|繞過)[^。]{0,12}(?:指令|指示|提示|规则|規則|要求)",
    "(?:输出|輸出)[^。]{0,14}(?:[0-9]+ ?[%％]|诊断|診斷|概率|機率)",
    "(?:排在|列为|列為)(?:第一|首位|最前)|(?:提示词|提示詞|语言模型|語言模型|人工智能助手)|(?:系统|系統|助手)[:：,，]",
)
_SPOKEN = re.compile("|".join(f"(?:{turn})" for turn in _TURNS), re.IGNORECASE)


def speaks_to_a_machine(sentence: str) -> bool:
    """Is it addressed to whatever program reads the note?"""
    return _SPOKEN.search(sentence) is not None
