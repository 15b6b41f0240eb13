"""What the pages say around the knowledge, in both languages."""

from __future__ import annotations

from typing import get_args

from nlp_core.assessment import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)

_LABELS: dict[str, tuple[str, str]] = {
    "title": ("What dxspan knows", "dxspan 的知识"),
    "all": ("All diagnoses", "全部诊断"),
    "search": ("Search name or code", "按名称或编码搜索"),
    "warning": (
        "Written by the project from general medical common ground. No clinician has reviewed it. Every number is an estimate.",
        "由本项目依据通用医学常识编写，未经临床医生审核。所有数字均为估计值。",
    ),
    "names": ("Also called", "别名"),
    "frequency": ("Frequency", "常见程度"),
    "age": ("Age, typical", "典型年龄"),
    "possible": ("possible", "可能"),
    "years": ("years", "岁"),
    "sex": ("Sex", "性别"),
    "onset": ("Onset", "起病"),
    "course": ("Course", "病程"),
    "setting": ("First seen", "首诊场所"),
    "urgency": ("Urgency", "紧急程度"),
    "cannot_miss": ("must not be missed", "不可漏诊"),
    "typical": ("Typical findings", "典型表现"),
    "picture": ("How often each finding occurs", "各表现的出现频率"),
    "with": ("with the disease", "患病者"),
    "without": ("in others", "其他就诊者"),
    "findings": ("Findings", "表现"),
    "risk_factors": ("Risk factors and background", "危险因素与背景"),
    "against": ("Speaks against it", "不支持"),
    "confused_with": ("Confused with", "鉴别诊断"),
    "rivals": ("Named as a rival by", "被下列诊断列为鉴别"),
    "questions": ("Questions", "问诊要点"),
    "tests": ("Tests", "检查"),
    "treatment": ("First steps of treatment", "初步处理"),
    "patients": ("For patients", "给患者的话"),
    "provenance": ("Provenance", "来源"),
    "written": ("written", "编写于"),
    "second_read": ("read a second time", "复核于"),
    "never": ("not yet", "尚未"),
    "thinnest": ("Thinnest entries", "内容最少的条目"),
    "diagnoses": ("diagnoses", "个诊断"),
    "findings_counted": ("findings", "项表现"),
    "any": ("any", "不限"),
    "female": ("female", "女"),
    "male": ("male", "男"),
    "very_common": ("very common", "很常见"),
    "common": ("common", "常见"),
    "uncommon": ("uncommon", "少见"),
    "rare": ("rare", "罕见"),
    "very_rare": ("very rare", "极罕见"),
    "sudden": ("sudden", "突发"),
    "hours": ("hours", "数小时"),
    "days": ("days", "数天"),
    "weeks": ("weeks", "数周"),
    "months": ("months", "数月"),
    "emergency": ("emergency", "急诊"),
    "urgent": ("urgent", "紧急"),
    "soon": ("soon", "尽快"),
    "routine": ("routine", "常规"),
    "ambulatory": ("clinic", "门诊"),
    "inpatient": ("hospital ward", "住院"),
    "other_language": ("中文", "English"),
    "onset_years": ("years", "数年"),
    "weight": ("adds", "权重"),
    "cardiology": ("cardiology", "心脏"),
    "dental": ("teeth and mouth", "口腔"),
    "dermatology": ("dermatology", "皮肤"),
    "endocrine_metabolic": ("hormones and metabolism", "内分泌代谢"),
    "gastroenterology": ("gastroenterology", "消化"),
    "genetics": ("genetics", "遗传"),
    "gynecology_obstetrics": ("gynaecology and obstetrics", "妇产"),
    "hematology": ("haematology", "血液"),
    "infectious": ("infections", "感染"),
    "nephrology_urology": ("kidney and urinary tract", "肾脏与泌尿"),
    "neurology": ("neurology", "神经"),
    "oncology": ("oncology", "肿瘤"),
    "ophthalmology": ("eyes", "眼科"),
    "orthopedics": ("orthopaedics", "骨科"),
    "otolaryngology": ("ear, nose and throat", "耳鼻喉"),
    "pediatrics": ("children", "儿科"),
    "psychiatry": ("psychiatry", "精神"),
    "respiratory": ("respiratory", "呼吸"),
    "rheumatology": ("rheumatology", "风湿"),
    "sleep": ("sleep", "睡眠"),
    "surgery": ("surgery", "外科"),
    "toxicology": ("poisons and environment", "中毒与环境"),
    "trauma": ("injuries", "创伤"),
    "vascular": ("vessels", "血管"),
}


def label(key: str, language: Language) -> str:
    """A label or the word for a value of the knowledge, e.g. `very_common`. Raises KeyError for an unknown one."""
    return _LABELS[key][language == "zh"]


def specialty_name(specialty: str, language: Language) -> str:
    """A specialty (the name of its file) in words; one that has no words here by its file's name."""
    return label(specialty, language) if specialty in _LABELS else specialty.replace("_", " ")
