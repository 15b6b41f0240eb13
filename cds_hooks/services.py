"""What we offer: two services for one hook, and the FHIR queries it asks clients to run beforehand.

Knows the texts and the prefetch templates, which keep to the query subset of CDS Hooks 2.0 (no `_include`, no
chaining, root-level context fields only). Does not know how the data is read (prefetch, gather_notes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nlp_core.assessment import Language, Words

SPECIFICATION = "2.0.1"
"""Version of CDS Hooks implemented; what 3.0 adds and 2.0 clients ignore is sent too (docs/conformance.md)."""
HOOK_VERSION = "1.0"
PATIENT_ID = "{{context.patientId}}"


@dataclass(frozen=True, slots=True)
class PrefetchTemplate:
    """One piece of the chart we ask for."""

    key: str
    resource_type: str
    query: str
    """After the type: `/{{context.patientId}}` or `?patient={{context.patientId}}&...`."""
    required: bool = False
    """Without it there is no answer (412). The rest, where missing, is named as unread."""

    @property
    def text(self) -> str:
        return self.resource_type + self.query

    def relative_url(self, patient_id: str) -> str:
        """The query for one patient; `patient_id` has been checked to be a FHIR id, which needs no escaping."""
        return self.text.replace(PATIENT_ID, patient_id)


@dataclass(frozen=True, slots=True)
class Service:
    """One entry of discovery."""

    id: str
    hook: str
    title: Words
    description: Words
    usage_requirements: Words
    prefetch: tuple[PrefetchTemplate, ...]

    def entry(self, language: Language) -> dict[str, Any]:
        """Its JSON for `GET /cds-services`."""
        return {
            "hook": self.hook,
            "id": self.id,
            "title": self.title.said_in(language),
            "description": self.description.said_in(language),
            "usageRequirements": self.usage_requirements.said_in(language),
            "prefetch": {template.key: template.text for template in self.prefetch},
            "version": SPECIFICATION,
            "hookVersion": HOOK_VERSION,
        }


def _search(key: str, resource_type: str, parameters: str = "", *, required: bool = False) -> PrefetchTemplate:
    return PrefetchTemplate(key, resource_type, f"?patient={PATIENT_ID}{parameters}", required)


PATIENT_VIEW = Service(
    id="dxspan-patient-view",
    hook="patient-view",
    title=Words(en="dxspan: a second look at the chart", zh="dxspan：病历复核"),
    description=Words(
        en=(
            "Reads the patient's notes and coded data and answers with at most one card: diagnoses worth considering, "
            "each with the words in the notes that speak for and against it. It informs, it does not decide. No card "
            "is no reassurance: it means that nothing in the notes read was strong enough to show."
        ),
        zh=(
            "阅读患者的病历文书和结构化数据，最多返回一张卡片：值得考虑的诊断，以及病历中支持和反对每个诊断的原文。"
            "仅供参考，不替代临床判断。没有卡片并不代表排除疾病：只表示所读病历中没有足够有力的依据。"
        ),
    ),
    usage_requirements=Words(
        en=(
            "Needs the patient and the clinical documents (DocumentReference), prefetched or readable with the access "
            "token; attachments given by URL need the token. Without the rest of the prefetch the answer says what "
            "was not available. Notes in English or Chinese."
        ),
        zh=(
            "需要患者信息和临床文书（DocumentReference），可由预取提供或用访问令牌读取；以 URL 给出的附件需要访问令牌。"
            "其余预取数据缺失时，回答会注明。支持英文和中文病历。"
        ),
    ),
    prefetch=(
        PrefetchTemplate("patient", "Patient", f"/{PATIENT_ID}", required=True),
        _search("documents", "DocumentReference", "&_sort=-date&_count=50", required=True),
        _search("problems", "Condition"),
        _search("laboratory", "Observation", "&category=laboratory&_sort=-date&_count=100"),
        _search("vitalSigns", "Observation", "&category=vital-signs&_sort=-date&_count=50"),
        _search("medications", "MedicationRequest", "&_sort=-authoredon&_count=100"),
        _search("allergies", "AllergyIntolerance"),
        _search("encounters", "Encounter", "&_sort=-date&_count=10"),
    ),
)
"""The encounters are found by patient, not by `context.encounterId`: some clients send none."""

RECORD_SUMMARY = Service(
    id="dxspan-record-summary",
    hook="patient-view",
    title=Words(en="dxspan: the record in a few sentences", zh="dxspan：病历摘要"),
    description=Words(
        en=(
            "Reads the patient's notes and answers with at most one information card: up to eight sentences of the notes, "
            "word for word, each with its note and date, on problems, course, current medication and what is pending. "
            "It leaves out most of the record; nothing on the card means that something is not there."
        ),
        zh=(
            "阅读患者的病历文书，最多返回一张信息卡片：逐字摘录至多八句病历原文，注明文书和日期，涉及问题、经过、目前用药和待办事项。"
            "病历的大部分内容未予摘录，卡片未提及并不代表不存在。"
        ),
    ),
    usage_requirements=PATIENT_VIEW.usage_requirements,
    prefetch=PATIENT_VIEW.prefetch,
)
"""Asks for the same data as PATIENT_VIEW: a chart that both are called for is read once."""

SERVICES = (PATIENT_VIEW,)


def services_offered(*, record_summary: bool) -> tuple[Service, ...]:
    """Those that a deployment offers."""
    return (*SERVICES, RECORD_SUMMARY) if record_summary else SERVICES


def discovery(language: Language, services: Sequence[Service] = SERVICES) -> dict[str, Any]:
    """The body of `GET /cds-services`."""
    return {"services": [service.entry(language) for service in services]}


def service_by_id(identifier: str, services: Sequence[Service] = SERVICES) -> Service | None:
    """The service of that id, or None."""
    return next((service for service in services if service.id == identifier), None)
