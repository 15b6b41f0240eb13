"""The source attributes in Chinese: by key, its name and what is said of it, with the same figures in braces.

Values of figures that are words of files or of the code stay as those write them.
"""

from __future__ import annotations

NOT_AVAILABLE = "无资料"

CHINESE: dict[str, tuple[str, str]] = {
    "developer": ("开发者：名称与联系方式", "{developer}；{developer_contact}"),
    "funding_source": ("开发资金来源", "{funding}"),
    "output_value": (
        "输出内容",
        "一张卡片最多列出{diagnoses}种诊断中的{most_shown}种，每种附 ICD-10-CM 编码、可信度词语及其校准概率区间，以及病历中支持与不支持的原文；"
        "依据取自{findings}种临床发现。首位诊断概率低于{silence_below}时不出卡片；依据合计（对数优势）低于{least_weight}的诊断不列出。",
    ),
    "output_type": ("输出类型", "建议，由分类得出：最多{most_shown}种供参考诊断的排序列表。"),
    "intended_use": (
        "预期用途",
        "临床医生打开病历时的第二意见：列出值得考虑的诊断及支持与不支持的原文。只辅助决定，不作决定。",
    ),
    "intended_population": (
        "预期患者",
        "病历为英文或中文的任何年龄的患者。{sex_limited}种诊断限于一种性别，各诊断限于其发病年龄；已故患者不出卡片。",
    ),
    "intended_users": ("预期使用者", "诊治该患者的临床医生。不面向患者，不用于收费，不用于分诊。"),
    "decision_role": (
        "在决定中的作用",
        "提供信息。卡片标为 {indicators}，从不标为 critical；不开立任何医嘱，未经使用者采纳不写入任何内容。",
    ),
    "cautioned_use": (
        "不宜使用的情形",
        "不用于刻不容缓的急症，不用于排除诊断：没有卡片不代表没有问题。下列情形自动不提示：{silences}。",
    ),
    "known_risks": (
        "已知风险、局限与误差",
        "正确率可能低于其词语所示，或应有把握时没有把握：首位概率平均误差，自有英文、中文病例为{own_en_error}、{own_zh_error}，"
        "病例短文为{vignettes_error}，完整病历为{notes_whole_error}。模拟时最少被找到者（前三位内的比例）：{least_found}。"
        "知识尚未经临床医生审阅。",
    ),
    "training_criteria": (
        "训练数据的纳入与排除",
        "纳入：本项目自撰文本，即知识中的名称、短语与虚构病历（中文占比{recipe_chinese}；{recipe_steps}步，{recipe_tuning}，"
        "秩{recipe_rank}，种子{recipe_seed}），基于 {base_package} {base_version}。排除：一切患者数据，以及一切用于评测的文本。",
    ),
    "sensitive_variables": (
        "种族、民族、语言、性取向、性别认同、性别、出生日期、社会因素、健康状况的使用",
        "对患者所知的字段：{chart_fields}。年龄与性别影响诊断；种族、民族、性取向、性别认同与保险不作为输入。病历所述的习惯、处境或健康状况，"
        "知识中有对应条目时作为临床发现读取。",
    ),
    "training_representativeness": (
        "训练数据对患者的代表性",
        "未使用患者数据，故不代表任何患者。概率的拟合数据：{calibrated_on}；阅读可信度的拟合数据：{trust_fitted_on}；语句含义学自{judged_clauses}条自编病历语句，逐条按所在句子判定。",
    ),
    "training_relevance": (
        "训练数据与使用场所的相关性",
        "虚构病历模仿中英文门诊与病房病历。医院自有的格式与缩写，在当地适配模型之前读取较差。",
    ),
    "fairness_approach": (
        "公平性的做法",
        "将同一病例改述为另一患者，首位诊断应不变。改变者：换性别{swap_sex}，年龄差两岁{swap_age}，换姓名{swap_name}（括号内为区间）。"
        "测量所用：{fairness_model}。",
    ),
    "bias_management": (
        "偏差的管理",
        "阅读时略去人名（改变{swap_name}），两种语言共用一个编码器（中文病历占比{recipe_chinese}），所有人用同一阈值。",
    ),
    "external_data": (
        "外部验证：数据",
        "未用于任何训练的公开文本：病历{notes_inferred_rows}份与{notes_whole_rows}份，考试病例短文{vignettes_rows}份，"
        "模拟问诊{ddxplus_rows}份。无医院数据。",
    ),
    "external_party": ("外部验证：执行者", "本项目自身；尚无他人。"),
    "external_representativeness": (
        "外部验证：数据对患者的代表性",
        "不具代表性：均为考试与教学文本。其诊断为 dxspan 所知者占百分之{notes_inferred_in_scope}、{notes_whole_in_scope}、"
        "{vignettes_in_scope}、{ddxplus_in_scope}。",
    ),
    "external_process": (
        "外部验证：过程",
        "每份文本走与服务相同的路径，但不用不提示阈值；ICD-10-CM 类目相同即为命中。模型{evaluated_model}，知识{evaluated_knowledge}，"
        "{evaluated_on}。",
    ),
    "validity_same_source": (
        "同源数据中的有效性",
        "正确诊断在前三位（百分比与区间）：自有英文病例{own_en_cases}例中{own_en}，中文{own_zh_cases}例中{own_zh}；模拟患者"
        "{simulated_top_3}，已知发现较少时{simulated_top_3_few}。留出患者的校准误差{calibration_error}，首位{leading_error}。",
    ),
    "fairness_same_source": (
        "同源数据中的公平性",
        "前三位内（百分比与区间）：英文{own_en}，中文{own_zh}。首位诊断改变：性别{swap_sex}，年龄{swap_age}，姓名{swap_name}。",
    ),
    "validity_external": (
        "外部数据中的有效性",
        "首位、前三位内（百分比与区间）：未写明诊断的病历{notes_inferred_1}、{notes_inferred_3}；完整病历{notes_whole_1}、"
        "{notes_whole_3}；病例短文{vignettes_1}、{vignettes_3}；问诊{ddxplus_1}、{ddxplus_3}。病例短文首位概率平均"
        "{vignettes_mean}，正确{vignettes_right}。校准测量所用：{calibration_model}。",
    ),
    "fairness_external": ("外部数据中的公平性", ""),
    "outcome_evaluation": ("结局评价", ""),
    "validity_monitoring": (
        "有效性如何监测",
        "按诊断统计{acceptance_days}天内使用者的处理；{mute_after_shows}次展示中采纳低于{mute_below}的诊断对该租户静默。每次发布均测量"
        "（至今{evaluations}次）。",
    ),
    "validity_local": ("本地数据中的有效性", "此处展示的{shown}条建议中，{accepted_share}被采纳。"),
    "fairness_monitoring": ("公平性如何监测", "每次发布前以上述互换测量；最近所用：{fairness_model}。"),
    "fairness_local": ("本地数据中的公平性", ""),
    "update_process": (
        "如何更新与再次验证",
        "知识或模型一有变动，即重新评测、校准并测量公平性，这些数值须与文件一致，否则测试失败。已安装：模型包{bundle}，{own_bundle}；"
        "最近评测：{evaluated_model}，{evaluated_on}。",
    ),
    "correction_frequency": (
        "性能多久修正一次",
        "自{first_evaluated}至{evaluated_on}共评测{evaluations}个版本；无固定周期。",
    ),
}
