"""Topics of history-taking that are no finding of the knowledge: travel, contacts, exercise, vaccination, work and the like.

Input : a question or a sentence, in English or Chinese
Output: the topics its words speak of; equal ones meet across the languages
Rules of words, one line for each topic that a history usually goes through.
"""

from __future__ import annotations

import re

_TOPICS: dict[str, str] = {
    "travel": r"\b(?:travel\w*|trips?|flights?|flew|flown|journeys?|abroad|overseas|returned from)\b"
    r"|旅行|旅游|出差|出(?:过|了)?国|飞行|航班|乘机|长途|外地|坐飞机",
    "contact": r"\b(?:contacts?|around (?:him|her|them)|sick (?:contacts?|people|relatives)|exposed|exposure|outbreak"
    r"|colleagues?|classmates?|household|roommates?|coworkers?)\b"
    r"|接触|同事|同学|室友|周围|身边|类似(?:病人|患者|症状|病例)|密接",
    "exercise": r"\b(?:exercis\w+|sports?|gym|runs|running|jogs?|jogging|swims?|swimming|physical(?:ly)? activ\w+|works? out)\b"
    r"|运动|锻炼|健身|跑步|游泳",
    "vaccination": r"\b(?:vaccin\w+|immuni[sz](?:ed|ation)\w*|shots?|jabs?)\b|疫苗|预防接种|接种",
    "smoking": r"\b(?:smok\w+|tobacco|cigarettes?|pack[- ]years?|vap(?:es?|ing))\b|吸烟|抽烟|烟草|戒烟|烟史",
    "alcohol": r"\b(?:alcohol\w*|drinks?|drinking|beers?|wine|spirits)\b|饮酒|喝酒|酗酒|嗜酒|酒精",
    "allergy": r"\b(?:allerg\w+|nkda|nka)\b|过敏",
    "family": r"\b(?:family|mother|father|parents?|brothers?|sisters?|siblings?|relatives?|familial)\b"
    r"|家族|家人|父亲|母亲|父母|兄弟|姐妹|亲属",
    "work": r"\b(?:occupation|jobs?|works? (?:as|in|at|for)|what work|kind of work|employ\w+|retired|profession\w*|(?:do|does) .*for a living)\b"
    r"|职业|工作|退休|从事|上班",
    "living": r"\b(?:lives? (?:alone|with|in)|married|single|widow\w*|divorced|spouse|wife|husband)\b"
    r"|独居|同住|婚姻|已婚|未婚|离异|丧偶|配偶",
    "diet": r"\b(?:diet\w*|eats?|eaten|ate|meals?|food)\b|饮食|进食|吃了|不洁食物|聚餐",
    "appetite": r"\b(?:appetite|hungry|anorexia)\b|食欲|纳差|胃口",
    "sleep": r"\b(?:sleep\w*|slept|insomnia)\b|睡眠|失眠|入睡|眠差",
    "surgery": r"\b(?:surg\w+|operat(?:ed|ion|ions)|\w+ectomy|\w+plasty|bypass)\b|手术|切除术|术后|开刀",
    "injury": r"\b(?:injur\w+|trauma\w*|fall|fell|fallen|accidents?)\b|外伤|受伤|摔|跌倒|车祸",
    "hospital": r"\b(?:hospitali[sz]\w+|admitted|admissions?|inpatient)\b|住院|入院",
    "pregnancy": r"\b(?:pregnan\w+|gravida|lmp|last (?:menstrual )?period|menses|menstruat\w+)\b|怀孕|妊娠|月经|末次月经|停经",
    "weight": r"\b(?:weigh\w*|kg|bmi|lost \d+)\b|体重|消瘦|公斤",
    "pain": r"\b(?:pains?|painful|aches?|aching|hurts?|hurting|sore)\b|疼|痛",
    "imaging": r"\b(?:x-?rays?|radiograph\w*|ct|cta|mri|ultrasound|sonograph\w*|scans?|imaging|echo\w*)\b"
    r"|X线|胸片|超声|B超|核磁|影像|扫描|造影",
    "ecg": r"\b(?:ecg|ekg|electrocardio\w*)\b|心电图",
    "reason": r"\b(?:why (?:did|has|is) (?:he|she|the patient|they) (?:c[ao]me|here|present\w*)|reason for|brings? (?:him|her|them)"
    r"|complaints?|presents? (?:with|to|for)|comes? (?:with|for|because|in)|(?:annual|routine|wellness) (?:\w+ )?(?:visit|exam\w*|check\w*)|check-?up)\b"
    r"|为什么来|为何来|为什么.*就诊|为何.*就诊|因何就诊|来看什么|主诉|前来|来诊|体检|就诊",
    "plan": r"\b(?:plan(?:s|ned)?|follow[- ]?up|next (?:step|visit|appointment)|return(?:s|ed)? (?:in|to clinic)|refer\w*|review in)\b"
    r"|随访|复诊|复查|下一步|计划|转诊|建议",
}
_PATTERNS = {topic: re.compile(pattern, re.IGNORECASE) for topic, pattern in _TOPICS.items()}


_DISTINCT = frozenset(
    f"t:{topic}"
    for topic in ("travel", "contact", "exercise", "vaccination", "smoking", "alcohol", "sleep", "appetite", "work")
)


def distinct_topics(text: str) -> frozenset[str]:
    """Those that say alone what is asked: a sentence about them answers also where the name beside them is not found."""
    return topics(text) & _DISTINCT


def topics(text: str) -> frozenset[str]:
    """Topics the words speak of, each as `t:travel`."""
    return frozenset(f"t:{topic}" for topic, pattern in _PATTERNS.items() if pattern.search(text))
