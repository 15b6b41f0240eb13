"""The fixed words of the viewer in English and Chinese, by the names that the templates use."""

from __future__ import annotations

from cds_hooks.card_words import TRANSPARENCY
from cds_hooks.page_language import said_in
from nlp_core.assessment import Language, Words

OPEN = Words(en="See the words in the notes", zh="查看病历原文依据")

PAGE: dict[str, Words] = {
    "title": Words(en="dxspan – evidence in the notes", zh="dxspan——病历中的依据"),
    "heading": Words(en="Evidence in the notes", zh="病历中的依据"),
    "other_language": Words(en="中文", zh="English"),
    "end": Words(en="Close and sign out", zh="关闭并退出"),
    "skip": Words(en="Skip to the notes", zh="跳到病历"),
    "diagnoses": Words(en="Diagnoses to consider", zh="供参考的诊断"),
    "on_card": Words(en="On the card", zh="卡片所列"),
    "not_on_card": Words(en="Also considered, not on the card", zh="也曾考虑，未列入卡片"),
    "timeline": Words(en="Timeline", zh="时间线"),
    "notes": Words(en="Notes", zh="病历"),
    "undated": Words(en="undated", zh="无日期"),
    "note": Words(en="note", zh="病历"),
    "for": Words(en="For", zh="支持"),
    "against": Words(en="Against", zh="不支持"),
    "both": Words(en="For and against", zh="支持与不支持"),
    "cited_for": Words(en="{count} for", zh="支持{count}处"),
    "cited_against": Words(en="{count} against", zh="不支持{count}处"),
    "not_cited": Words(en="nothing cited", zh="未引用"),
    "absent": Words(en="absent", zh="无"),
    "coded": Words(en="coded data, not in a note", zh="结构化数据，非病历原文"),
    "words_not_at_hand": Words(en="words not kept here", zh="此处未保存原文"),
    "only": Words(en="Show only its words", zh="只显示其依据"),
    "not_to_be_missed": Words(en="not to be missed", zh="不可漏诊"),
    "confidence": Words(en="Confidence", zh="可信度"),
    "no_band": Words(en="no calibrated confidence", zh="可信度未经校准"),
    "band_note": Words(
        en="calibrated on simulated patients only: on real ones it can be off", zh="仅以模拟患者校准，实际可能有偏差"
    ),
    "band_note_on_site": Words(
        en="calibrated on simulated patients and on coded notes of this site", zh="以模拟患者及本院已编码病历校准"
    ),
    "weight": Words(en="weight", zh="权重"),
    "weight_note": Words(
        en="Weights are log odds: above 0 speaks for the diagnosis, below 0 against; 0.7 doubles the odds.",
        zh="权重为对数优势：大于0支持该诊断，小于0不支持；0.7约使优势加倍。",
    ),
    "treatment": Words(en="First treatment steps", zh="初步处理"),
    "source": Words(en="Source", zh="来源"),
    "treatment_missing": Words(en="not at hand for this model’s knowledge", zh="当前知识版本无此内容"),
    "not_reviewed": Words(en="not reviewed by a clinician", zh="尚未经临床医生审阅"),
    "steps": Words(en="Would tell them apart", zh="有助鉴别"),
    "question": Words(en="Ask", zh="询问"),
    "test": Words(en="Test", zh="检查"),
    "gain": Words(en="{bits} bits expected", zh="预期信息增益{bits}比特"),
    "not_seen": Words(en="Not seen", zh="未见资料"),
    "nothing_missing": Words(en="Nothing that was asked for was missing.", zh="所需资料均已读取。"),
    "model": Words(en="Model {model}: how good it is", zh="模型 {model}：性能数据"),
    "figures_missing": Words(en="The figures of this model are not installed here.", zh="此处未安装该模型的性能数据。"),
    "made_by": Words(
        en="AI-generated, for information only; dxspan decides nothing. Silence, or absence from this list, rules nothing out.",
        zh="由人工智能生成，仅供参考，不作决定。未提示或未列出不代表可以排除。",
    ),
    "about": Words(en="How dxspan works, and its limits", zh="dxspan 的原理与局限"),
    "transparency": TRANSPARENCY,
    "left_out": Words(en="text too long to keep here", zh="原文过长，未在此保存"),
    "skipped": Words(en="{count} characters not shown", zh="省略{count}个字符"),
    "legend": Words(en="Marked words", zh="标记说明"),
    "legend_number": Words(en="the number is the diagnosis’s", zh="数字为诊断编号"),
    "active": Words(en="on the problem list", zh="已在问题列表"),
    "refuted": Words(en="refuted on the problem list", zh="问题列表中已否定"),
    "past": Words(en="on the problem list as past", zh="问题列表中为既往"),
    "named": Words(en="already named in a note", zh="病历已提及"),
    "emergency": Words(en="emergency", zh="急诊"),
    "urgent": Words(en="urgent", zh="紧急"),
    "soon": Words(en="soon", zh="尽快"),
    "routine": Words(en="routine", zh="常规"),
    "tabs": Words(en="Parts of the viewer", zh="查看器各部分"),
    "tab_evidence": Words(en="Evidence", zh="依据"),
    "tab_summary": Words(en="Record summary", zh="病历摘要"),
    "tab_questions": Words(en="Ask the chart", zh="查询病历"),
    "quoted": Words(en="Quoted", zh="摘录"),
    "cited_quoted": Words(en="{count} quoted", zh="摘录{count}处"),
    "no_summary": Words(en="No record summary was made with this reading.", zh="本次阅读未生成病历摘要。"),
    "summary_silent": Words(en="No summary: {reason}.", zh="无摘要：{reason}。"),
    "your_question": Words(en="Your question", zh="您的问题"),
    "question_hint": Words(
        en="About this chart (“Does she smoke?”) or in general (“What is influenza?”), in English or Chinese. "
        "The answer is quoted, never written.",
        zh="可问本病历（“她吸烟吗？”）或一般问题（“流感是什么？”），中英文均可。答案均为原文引用，不作改写。",
    ),
    "ask": Words(en="Ask", zh="提问"),
    "answer": Words(en="Answer", zh="答案"),
    "asked": Words(en="Asked", zh="所问"),
    "from_chart": Words(en="From the chart, word for word", zh="病历原文"),
    "from_knowledge": Words(
        en="In general, not about this patient; not reviewed by a clinician",
        zh="一般知识，并非针对该患者；尚未经临床医生审阅",
    ),
    "nowhere": Words(
        en="Not in the chart: no sentence of the notes that were searched answers this. That rules nothing out.",
        zh="病历中没有：已查找的病历中无句子回答此问题。这并不代表可以排除。",
    ),
    "not_understood": Words(
        en="The question was not understood, so the chart was not searched. Ask one thing, in English or Chinese.",
        zh="未能理解该问题，故未查找病历。请用中文或英文，一次只问一件事。",
    ),
    "not_answered": Words(
        en="No answer at the moment: the model is away or busy. This says nothing about the chart; ask again.",
        zh="目前无法回答：模型不可用或繁忙。这不说明病历的任何情况；请重试。",
    ),
    "not_asked": Words(
        en="Nothing was asked, or too much: one question of at most 400 characters.",
        zh="未提问或问题过长：请提一个不超过400字的问题。",
    ),
    "searched": Words(en="Notes searched: {count}.", zh="已查找病历{count}份。"),
    "unsearched": Words(
        en="Not or not wholly searched: {count}; the answer may be there.",
        zh="未查找或未全部查找：{count}份；答案可能在其中。",
    ),
    "show_here": Words(en="Show it in {language}", zh="以{language}显示"),
    "more": Words(en="Evidence and first steps", zh="依据与初步处理"),
}

MESSAGES: dict[str, Words] = {
    "LaunchRefused": Words(
        en="The viewer could not be opened: this sign-in is not one we accept. Open it again from the card in your EHR.",
        zh="无法打开：此次登录未被接受。请在电子病历系统中从卡片重新打开。",
    ),
    "NotYours": Words(
        en="This was kept for another user or another patient. Open the viewer from your own card.",
        zh="该内容属于其他用户或其他患者。请从您自己的卡片打开。",
    ),
    "Gone": Words(
        en="There is nothing to show, or no longer: what a card rests on is kept for a short time only. "
        "Open the patient again for a new card.",
        zh="没有可显示的内容或已过期：卡片依据仅短时保存。请重新打开患者以获取新卡片。",
    ),
    "Ended": Words(
        en="This session is over. Open the viewer again from the card in your EHR.",
        zh="会话已结束。请在电子病历系统中从卡片重新打开。",
    ),
    "NotNow": Words(
        en="The viewer cannot be opened at the moment. The card itself is complete; try again later.",
        zh="目前无法打开。卡片本身是完整的；请稍后再试。",
    ),
}
"""By the name of the refusal."""


def said(language: Language) -> dict[str, str]:
    """The words of the page in one language."""
    return said_in(language, PAGE)
