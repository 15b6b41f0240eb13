"""The fixed words of the operators' page in English and Chinese, by the names that the template uses."""

from __future__ import annotations

from cds_hooks.page_language import said_in
from nlp_core.assessment import Language, Words

PAGE: dict[str, Words] = {
    "title": Words(en="dxspan – operators", zh="dxspan——运维"),
    "heading": Words(en="dxspan for operators", zh="dxspan 运维页"),
    "other_language": Words(en="中文", zh="English"),
    "pause": Words(en="Pause refreshing", zh="暂停刷新"),
    "resume": Words(en="Refresh again", zh="恢复刷新"),
    "stale": Words(
        en="No new answer from the process since {time}: what stands below is old, not well.",
        zh="自 {time} 起未收到新数据：以下内容已过时，不代表正常。",
    ),
    "at": Words(en="As of", zh="截至"),
    "begun": Words(en="process began", zh="进程启动于"),
    "checks": Words(en="Checks", zh="检查"),
    "this_process": Words(en="this process", zh="本进程"),
    "all_processes": Words(en="all processes", zh="全部进程"),
    "one_of_several": Words(
        en="This page is one web process’s view. Behind a load balancer the next one may be another’s: sums over all are "
        "Prometheus’s. What is marked “all processes” comes from Redis or the database and is the same everywhere.",
        zh="本页为单个 Web 进程的视角；经负载均衡时，下一次可能来自另一进程，汇总请看 Prometheus。标为“全部进程”的内容来自 Redis 或数据库，各处相同。",
    ),
    "what_to_do": Words(en="What to do", zh="处理办法"),
    "runbook": Words(en="Runbook", zh="运维手册"),
    "last_hour": Words(en="Last hour", zh="近一小时"),
    "answers_by_minute": Words(en="Answers per minute", zh="每分钟应答数"),
    "latency_by_minute": Words(en="Time to answer, by minute", zh="每分钟应答时间"),
    "queue_by_minute": Words(en="Charts waiting in the queue", zh="队列中等待的病历"),
    "most": Words(en="scale to {most}", zh="刻度上限 {most}"),
    "now": Words(en="latest {value}", zh="最近 {value}"),
    "hour_ago": Words(en="60 minutes ago", zh="60 分钟前"),
    "just_now": Words(en="now", zh="现在"),
    "no_minutes": Words(en="The first whole minute is not over yet.", zh="第一个完整的一分钟尚未结束。"),
    "answered": Words(en="card", zh="有卡片"),
    "silent": Words(en="silent", zh="静默"),
    "degraded": Words(en="degraded", zh="降级"),
    "deadline": Words(en="deadline", zh="时限"),
    "outcomes": Words(en="Answers of the last hour", zh="近一小时的应答"),
    "outcome": Words(en="Outcome", zh="结果"),
    "reason": Words(en="Reason", zh="原因"),
    "count": Words(en="Count", zh="数量"),
    "share": Words(en="Share", zh="占比"),
    "none_yet": Words(en="None.", zh="无。"),
    "stood_in": Words(en="Degraded answers with the patient’s last card", zh="降级时以患者上次卡片代替"),
    "fallbacks": Words(en="Charts read in this process instead of by a worker", zh="改由本进程读取的病历"),
    "acceptance": Words(en="Acceptance by diagnosis", zh="各诊断的采纳率"),
    "acceptance_note": Words(
        en="Showings of the last {days} days, all tenants together, least accepted first; in brackets the 95 % interval. Counted every "
        "ten minutes. {few} diagnoses shown fewer than {least} times are left out.",
        zh="近 {days} 天的展示，全部租户合计，采纳最少者在前；括号内为 95% 区间。每十分钟统计一次。展示不足 {least} 次的 {few} 个诊断未列出。",
    ),
    "diagnosis": Words(en="Diagnosis", zh="诊断"),
    "shown": Words(en="Shown", zh="展示"),
    "accepted": Words(en="Accepted", zh="采纳"),
    "overridden": Words(en="Dismissed", zh="忽略"),
    "muted": Words(en="muted (tenants: {count})", zh="已静音（租户数：{count}）"),
    "drift": Words(en="Drift", zh="漂移"),
    "drift_note": Words(
        en="The last {recent} days against the first {reference} days of this site, and of the present model where answers are "
        "compared; as a population stability index: below 0.1 alike, above 0.25 much has changed.",
        zh="近 {recent} 天与本院最初 {reference} 天相比（比较应答时为当前模型的最初 {reference} 天）；指标为群体稳定性指数：低于 0.1 为相近，高于 0.25 为变化大。",
    ),
    "drift_counts": Words(
        en="Readings: reference {reference}, recent {recent}; of the present model {reference_of_model} and {recent_of_model}.",
        zh="读取数：参照 {reference}，近期 {recent}；当前模型为 {reference_of_model} 与 {recent_of_model}。",
    ),
    "drift_waiting": Words(
        en="Not compared yet: the reference takes {reference} days and at least {least} readings, and at least {least_recent} after it.",
        zh="尚未比较：参照期需 {reference} 天且至少 {least} 次读取，其后至少 {least_recent} 次。",
    ),
    "watched": Words(en="Compared", zh="比较对象"),
    "index": Words(en="Index", zh="指数"),
    "drift_language": Words(en="languages of charts", zh="病历语言"),
    "drift_length": Words(en="lengths of charts", zh="病历长度"),
    "drift_notes": Words(en="notes per chart", zh="每份病历的文书数"),
    "drift_silence": Words(en="silence and its reasons", zh="静默及其原因"),
    "drift_leading_probability": Words(en="leading probabilities", zh="首位概率"),
    "drift_findings": Words(en="findings per chart", zh="每份病历的表现数"),
    "drift_chapter": Words(en="ICD-10 chapters of leading diagnoses", zh="首位诊断的 ICD-10 章"),
    "versions": Words(en="Versions and limits", zh="版本与限制"),
    "version": Words(en="dxspan", zh="dxspan"),
    "model": Words(en="Model", zh="模型"),
    "knowledge": Words(en="Knowledge", zh="知识库"),
    "quota": Words(en="Calls per second and tenant", zh="每租户每秒调用数"),
    "no_quota": Words(en="no limit", zh="不限"),
    "deadline_long": Words(en="Deadline of an answer", zh="应答时限"),
    "not_known": Words(en="not known before the first reading", zh="首次读取前未知"),
    "switches": Words(en="Switches in force", zh="生效的开关"),
    "mode": Words(en="Mode", zh="方式"),
    "tenant": Words(en="Tenant", zh="租户"),
    "all": Words(en="all", zh="全部"),
    "since": Words(en="Since", zh="自"),
    "off": Words(en="off", zh="关闭"),
    "shadow": Words(en="shadow", zh="影子"),
}

LEVELS: dict[str, Words] = {
    "good": Words(en="well", zh="正常"),
    "attention": Words(en="attention", zh="注意"),
    "bad": Words(en="act now", zh="立即处理"),
    "unknown": Words(en="not known", zh="未知"),
}

OVERALL: dict[str, Words] = {
    "good": Words(en="All that can be judged is well", zh="可判断的各项均正常"),
    "attention": Words(en="Something needs attention", zh="有事项需要注意"),
    "bad": Words(en="Something is broken", zh="有故障"),
    "unknown": Words(
        en="Nothing is known to be wrong; some things are not known yet", zh="未发现问题；部分情况尚不清楚"
    ),
}

CHECKS: dict[str, tuple[Words, Words]] = {
    "ready": (
        Words(en="Takes calls", zh="可接受调用"),
        Words(
            en="Look at /readyz and this process’s log: a model or the feedback database is being opened, Redis cannot tell which "
            "tokens were seen, or the audit folder cannot be written.",
            zh="查看 /readyz 与本进程日志：模型或反馈数据库正在打开，Redis 无法确认令牌，或审计目录不可写。",
        ),
    ),
    "model": (
        Words(en="Model in this process", zh="本进程的模型"),
        Words(en="It is being loaded; if it stays so, the log says why.", zh="正在加载；若持续如此，请查看日志。"),
    ),
    "redis": (
        Words(en="Redis", zh="Redis"),
        Words(
            en="Charts are read in this process or answered as degraded. Bring Redis back; nothing else needs a restart.",
            zh="病历改由本进程读取，或作降级应答。请恢复 Redis；其他进程无需重启。",
        ),
    ),
    "breaker": (
        Words(en="Circuit breaker to the queue", zh="队列熔断器"),
        Words(
            en="Redis failed a moment ago; one call in five seconds tries it again. If it stays open, look after Redis.",
            zh="Redis 刚刚出错；每五秒会试一次。若持续断开，请检查 Redis。",
        ),
    ),
    "workers": (
        Words(en="Workers (a canary’s way)", zh="工作进程（探测任务耗时）"),
        Words(en="Restart dxspan-worker and read its log; look whether the machine is full.", zh="重启 dxspan-worker 并查看其日志；检查机器负载。"),
    ),
    "queue": (
        Words(en="Queue", zh="队列"),
        Words(en="Start more workers; beyond the limit new charts are not read.", zh="增加工作进程；超过上限的新病历将不被读取。"),
    ),
    "clock": (
        Words(en="Clock against Redis’s", zh="与 Redis 的时钟差"),
        Words(en="Set this machine’s clock (NTP).", zh="校准本机时钟（NTP）。"),
    ),
    "latency": (
        Words(en="Time to answer", zh="应答时间"),
        Words(en="See whether the queue, the FHIR server or this machine is slow.", zh="确认是队列、FHIR 服务器还是本机变慢。"),
    ),
    "degraded": (
        Words(en="Degraded answers", zh="降级应答"),
        Words(en="The reasons stand below; most have a check of their own here.", zh="原因见下表；多数在此有对应检查。"),
    ),
    "silence": (
        Words(en="Silent answers", zh="静默应答"),
        Words(
            en="Silence is common; nearly nothing else is not. Look at the reasons below, the switches and drift.",
            zh="静默很常见，但几乎全部静默则不正常。请看下方原因、开关与漂移。",
        ),
    ),
    "drift": (
        Words(en="Drift of charts and answers", zh="病历与应答的漂移"),
        Words(
            en="Charts or answers are no longer what they were: see what has changed below, and measure before you trust.",
            zh="病历或应答已与当初不同：请看下方变化之处，重新评估后再信任。",
        ),
    ),
    "feedback": (
        Words(en="Feedback database", zh="反馈数据库"),
        Words(
            en="Feedback waits on disk meanwhile and nothing is lost; dismissed suggestions may come again. Bring the database back.",
            zh="反馈暂存磁盘，不会丢失；已忽略的建议可能再次出现。请恢复数据库。",
        ),
    ),
    "audit": (
        Words(en="Audit trail", zh="审计记录"),
        Words(en="Its disk takes no entries, and calls are refused: make room, look at its permissions.", zh="磁盘无法写入，调用被拒：请清理空间并检查权限。"),
    ),
    "switches": (
        Words(en="Switches", zh="开关"),
        Words(
            en="Something is off on purpose, or the file is broken and the last good state stays; `dxspan-switch` shows it.",
            zh="有功能被有意关闭，或文件损坏而沿用上次状态；可用 `dxspan-switch` 查看。",
        ),
    ),
    "quota": (
        Words(en="Calls refused over quota", zh="超额被拒的调用"),
        Words(en="A client sends more than it may: ask it why, or raise DXSPAN_CALLS_PER_SECOND.", zh="某客户端调用过多：询问原因，或调高 DXSPAN_CALLS_PER_SECOND。"),
    ),
    "security": (
        Words(en="Security events", zh="安全事件"),
        Words(en="The log’s lines `security` say what kind and whose.", zh="日志中 `security` 行说明类型与来源。"),
    ),
}  # fmt: skip
"""By check: its name, and what to do when it is not well."""

REFUSED = "Operators only: the token is the password. 仅限运维人员：令牌即密码。\n"


def said(language: Language) -> dict[str, str]:
    """The words of the page in one language."""
    return said_in(language, PAGE)
