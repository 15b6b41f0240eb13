"""What we offer besides where charts are to be read before anybody opens them: one service for each hook that tells so.

Knows texts and hooks. They ask for the same data as services.PATIENT_VIEW, so that the chart opened later is the chart read
before; what they do is precompute's business.
"""

from __future__ import annotations

from cds_hooks.services import PATIENT_VIEW, Service
from nlp_core.assessment import Words

_DESCRIPTION = Words(
    en=(
        "Reads the chart beforehand, so that the answer is ready when somebody opens it. Never answers with a card, and "
        "says nothing of what it read."
    ),
    zh="提前阅读病历，使打开病历时结果已就绪。从不返回卡片，也不说明所读内容。",
)
_USAGE = Words(
    en=(
        "Call it besides dxspan-patient-view, with the same prefetch or an access token. It may be left out at any time: "
        "charts are then read when they are opened, and calls are dropped here first when there is much to do."
    ),
    zh="与 dxspan-patient-view 配合调用，预取数据相同或提供访问令牌。可随时省略：届时在打开病历时阅读；繁忙时首先放弃此类调用。",
)

ENCOUNTER_START = Service(
    id="dxspan-encounter-start",
    hook="encounter-start",
    title=Words(en="dxspan: the chart of a visit that begins", zh="dxspan：就诊开始时预读病历"),
    description=_DESCRIPTION,
    usage_requirements=_USAGE,
    prefetch=PATIENT_VIEW.prefetch,
)
APPOINTMENT_BOOK = Service(
    id="dxspan-appointment-book",
    hook="appointment-book",
    title=Words(en="dxspan: the chart of a visit that is booked", zh="dxspan：预约时预读病历"),
    description=_DESCRIPTION,
    usage_requirements=_USAGE,
    prefetch=PATIENT_VIEW.prefetch,
)
PRECOMPUTE_SERVICES = (ENCOUNTER_START, APPOINTMENT_BOOK)
PRECOMPUTE_IDS = frozenset(service.id for service in PRECOMPUTE_SERVICES)
