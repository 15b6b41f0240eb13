"""The fixed words of the card in English and Chinese.

Knows phrases only; build_cards puts chart text and knowledge between them.
"""

from __future__ import annotations

from nlp_core.assessment import Words

CONSIDER = Words(en="Consider: ", zh="请考虑：")
NEXT = Words(en="; ", zh="；")
FROM_ONE_NOTE = Words(en=" — from 1 note", zh="——据1份病历")
FROM_NOTES = Words(en=" — from {count} notes", zh="——据{count}份病历")
SINCE = Words(en=" — ", zh="——")
COMPUTED = Words(en="computed {time} UTC", zh="计算于{time} UTC")
COMPUTED_BEFORE_NOTE = Words(
    en="computed {time} UTC, newer note not yet read", zh="计算于{time} UTC，有更新的病历尚未读取"
)
COMPUTED_BEFORE_DATA = Words(
    en="computed {time} UTC, newer data not yet read", zh="计算于{time} UTC，有更新的数据尚未读取"
)
FOR = Words(en="For", zh="支持")
AGAINST = Words(en="Against", zh="不支持")
ABSENT = Words(en="absent", zh="无")
SEPARATE = Words(en="Would tell them apart", zh="有助鉴别")
NO_PROBLEM_LIST = Words(en="problem list not available", zh="未能读取问题列表")
NOT_SEEN = Words(en="Not seen", zh="未见资料")
NO_LABORATORY = Words(en="no laboratory results", zh="无检验结果")
NO_LABORATORY_AFTER = Words(en="no laboratory results after {date}", zh="{date}之后无检验结果")
OLDER_NOTES = Words(en="{count} older notes not read", zh="{count}份较早病历未读")
REST_OF_NOTE = Words(en="the rest of a very long note ({note})", zh="过长病历（{note}）的其余部分")
IN_A_HURRY = Words(
    en="more than known names, as time was up (notes: {count})", zh="已知名称之外的内容（时间已到，{count}份病历）"
)
WITHOUT_ENCODER = Words(
    en="more than known names, as the language model failed (notes: {count})",
    zh="已知名称之外的内容（语言模型出错，{count}份病历）",
)
RESTRICTED = Words(en="restricted data, left out ({count})", zh="受限资料（{count}份，未使用）")
UNREADABLE = Words(en="{count} documents could not be read", zh="{count}份文件无法读取")
UNDATED = Words(en="undated", zh="无日期")
NOTE = Words(en="note", zh="病历")
MADE_BY = Words(
    en="AI-generated; confidence calibrated on simulated patients only; model {model}. Silence or absence from this list"
    " does not rule anything out.",
    zh="由人工智能生成；可信度仅以模拟患者校准；模型 {model}。未列出不代表可以排除。",
)
MADE_BY_ON_SITE = Words(
    en="AI-generated; confidence calibrated on simulated patients and on coded notes of this site; model {model}. Silence or"
    " absence from this list does not rule anything out.",
    zh="由人工智能生成；可信度以模拟患者及本院已编码病历校准；模型 {model}。未列出不代表可以排除。",
)
MADE_BY_UNCALIBRATED = Words(
    en="AI-generated; no calibrated confidence; model {model}. Absence from this list does not rule anything out.",
    zh="由人工智能生成；可信度未经校准；模型 {model}。未列出不代表可以排除。",
)
ADD = Words(en="Add “{name}” to the problem list as unconfirmed", zh="将“{name}”以“未确诊”加入问题列表")
CREATE = Words(
    en="Create an unconfirmed (provisional) Condition: {name}", zh="新建一条未确诊（provisional）的诊断记录：{name}"
)
HOW_IT_WORKS = Words(en="How dxspan works, and its limits", zh="dxspan 的原理与局限")
TRANSPARENCY = Words(en="Where it comes from and how good it is", zh="来源、性能与已知风险")
LABEL = Words(en="dxspan – diagnoses to consider", zh="dxspan——供参考的诊断")
CANNOT_MISS = Words(en="not to be missed", zh="不可漏诊")
