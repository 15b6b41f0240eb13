"""The fixed words of the transparency page in English and Chinese, by the names that its template uses."""

from __future__ import annotations

from nlp_core.assessment import Words

PAGE: dict[str, Words] = {
    "title": Words(en="dxspan – source attributes and model card", zh="dxspan——来源属性与模型卡"),
    "heading": Words(en="Where suggestions come from, and how good they are", zh="建议从何而来，性能如何"),
    "other_language": Words(en="中文", zh="English"),
    "no_device": Words(
        en="dxspan is no medical device. It suggests, it never decides.",
        zh="dxspan 不是医疗器械，只提供建议，不作决定。",
    ),
    "silence": Words(en="Silence is not reassurance.", zh="没有卡片不代表没有问题。"),
    "opening": Words(
        en="The {count} source attributes of a predictive decision support intervention (45 CFR 170.315(b)(11)(iv)); {by_machine} "
        "are filled by machine from the files named below each.",
        zh="预测性决策支持干预的{count}项来源属性（45 CFR 170.315(b)(11)(iv)）；其中{by_machine}项由机器据各项下所列文件填写。",
    ),
    "also_as": Words(en="Also as", zh="另见"),
    "model": Words(en="The model", zh="模型"),
    "its_card": Words(en="its card", zh="模型卡"),
    "about": Words(en="How dxspan works, and its limits", zh="dxspan 的原理与局限"),
    "attributes": Words(en="Source attributes", zh="来源属性"),
    "attribute": Words(en="Attribute", zh="属性"),
    "value": Words(en="Value", zh="内容"),
    "where_from": Words(en="Where from", zh="数值来源"),
    "model_card": Words(en="Model card", zh="模型卡（英文）"),
}
