"""Why a call brought no card, in words: what `extension["org.dxspan.status"].reason` says to people.

Knows the fixed words of an outcome (outcome) and what each means to a reader in both languages.
"""

from __future__ import annotations

from nlp_core.assessment import Words

REASONS: dict[str, Words] = {
    "no_note": Words(en="there is no note to read", zh="没有可供阅读的病历"),
    "no_finding": Words(en="no finding in the notes speaks for any diagnosis", zh="病历中没有支持任何诊断的表现"),
    "weak_evidence": Words(en="the evidence is too weak for a suggestion", zh="依据太弱，不足以提出建议"),
    "too_little_text": Words(en="too little text", zh="文字太少"),
    "unsupported_language": Words(en="the notes are neither English nor Chinese", zh="病历既非英文也非中文"),
    "deceased": Words(en="the patient has died", zh="患者已故"),
    "old_notes": Words(en="nothing in the chart is newer than two years", zh="病历中没有近两年的内容"),
    "partly_read": Words(
        en="what was read shows nothing, and not all of the notes was read", zh="已读部分未见异常，但病历未全部读完"
    ),
    "partly-read": Words(
        en="what could be read shows nothing; time was up, or the language model failed",
        zh="能读的部分未见异常；时间已到，或语言模型出错",
    ),
    "stuffed_text": Words(
        en="a note repeats a name so often that it cannot be trusted", zh="病历中某名称反复出现，不可信"
    ),
    "other_patient_text": Words(en="a note seems to hold another patient's record", zh="病历中似有另一位患者的内容"),
    "already-shown": Words(
        en="this reader has seen the same card in this encounter", zh="该用户在本次就诊中已看过同一卡片"
    ),
    "dismissed": Words(
        en="a clinician dismissed it for this patient, and nothing new speaks for it",
        zh="医生已为该患者忽略此建议，且没有新的依据",
    ),
    "accepted": Words(
        en="a clinician accepted it, and it is on its way to the problem list", zh="医生已采纳，正在加入问题列表"
    ),
    "muted": Words(
        en="hardly anyone here accepts this diagnosis, so it is not shown for now",
        zh="此处几乎无人采纳该诊断，暂不显示",
    ),
    "already-known": Words(
        en="everything worth considering is already on the problem list or in the notes",
        zh="值得考虑的诊断都已在问题列表或病历中",
    ),
    "no-evidence": Words(en="no words of the chart speak for a diagnosis", zh="病历中没有支持诊断的文字"),
    "no-card": Words(en="there is nothing to show", zh="没有可显示的内容"),
    "switched-off": Words(en="suggestions are switched off", zh="建议功能已关闭"),
    "deadline": Words(en="the chart was not read in time", zh="未能及时读完病历"),
    "loading": Words(en="the model is still being loaded", zh="模型仍在加载"),
    "overloaded": Words(en="too many charts are waiting", zh="等待阅读的病历太多"),
    "queue-unavailable": Words(en="the queue to the readers does not answer", zh="阅读队列没有响应"),
    "reader-failed": Words(en="the reader failed on this chart", zh="阅读该病历时出错"),
    "cards-failed": Words(en="the card could not be written", zh="未能生成卡片"),
    "memory-unavailable": Words(en="what became of earlier suggestions is not known", zh="无法得知以往建议的处理结果"),
    "audit-unavailable": Words(en="the call could not be recorded", zh="未能记录本次调用"),
}
