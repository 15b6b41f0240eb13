"""The request of a hook call, read leniently where it is safe and strictly where it is not.

Knows the fields we use; unknown ones, `extension` included, are ignored, and null means absent. Ids are checked
because they become parts of URLs. Errors name the path of a field and never its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from cds_hooks.operation_outcome import BadRequest
from cds_hooks.server_address import BadAddress, ServerAddress

MAX_FAULTS_NAMED = 10
_UUID = r"^(urn:uuid:)?[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"


def _no_dots_only(identifier: str) -> str:
    """`.` and `..` match FHIR's id pattern, but in a URL they mean another place."""
    if not identifier.strip("."):
        raise ValueError("consists of dots")
    return identifier


def _plain_address(url: str) -> str:
    try:
        return ServerAddress.parse(url).text
    except BadAddress as error:
        raise ValueError(str(error)) from None


def _whole_number(value: Any) -> Any:
    """JSON has no true for 1: bool is an int in Python only."""
    if isinstance(value, bool):
        raise ValueError("not an integer")
    return value


FhirId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,64}$"), AfterValidator(_no_dots_only)]
UserReference = Annotated[
    str, StringConstraints(pattern=r"^(Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9.-]{1,64}$")
]
AccessToken = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,8192}$")]
UuidText = Annotated[str, StringConstraints(pattern=_UUID)]


class LenientModel(BaseModel):
    """Unknown fields are ignored and null is absent."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


class FhirAuthorization(LenientModel):
    """A token for the client's FHIR server. It lives as long as the call, for a reading ahead some seconds
    longer (precompute), and never leaves this process."""

    access_token: Annotated[AccessToken, Field(repr=False)] = Field(alias="access_token")
    token_type: Annotated[str, StringConstraints(pattern="^(?i:bearer)$")] = Field(alias="token_type")
    expires_in: Annotated[int, BeforeValidator(_whole_number)] = Field(alias="expires_in")
    scope: Annotated[str, StringConstraints(max_length=8192)]
    subject: Annotated[str, StringConstraints(max_length=1024)]
    patient: str | None = None

    @property
    def usable(self) -> bool:
        return self.expires_in > 0


class PatientViewContext(LenientModel):
    """Who opened whose chart."""

    user_id: UserReference
    patient_id: FhirId
    encounter_id: FhirId | None = None

    @model_validator(mode="before")
    @classmethod
    def _empty_encounter_is_absent(cls, data: Any) -> Any:
        """Some clients send `""` when the chart is opened outside an encounter."""
        if isinstance(data, dict) and data.get("encounterId") == "":
            return {key: value for key, value in data.items() if key != "encounterId"}
        return data


class EncounterStartContext(PatientViewContext):
    """Whose visit begins."""

    encounter_id: FhirId


class AppointmentBookContext(PatientViewContext):
    """Whose visit is booked, and when it is to be."""

    appointments: dict[str, Any]
    """A Bundle of Appointments, read leniently."""


class HookRequest(LenientModel):
    """One call of the service."""

    hook: str
    hook_instance: UuidText
    fhir_server: Annotated[str, AfterValidator(_plain_address)] | None = None
    fhir_authorization: FhirAuthorization | None = None
    context: PatientViewContext
    prefetch: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> HookRequest:
        if self.fhir_authorization and not self.fhir_server:
            raise rule("fhirServer", "fhirAuthorization needs fhirServer")
        restricted_to = self.fhir_authorization.patient if self.fhir_authorization else None
        if restricted_to and restricted_to.rpartition("/")[2] != self.context.patient_id:
            raise rule("fhirAuthorization.patient", "the access token is for another patient")
        return self

    @property
    def instance(self) -> UUID:
        return UUID(self.hook_instance)


class EncounterStartRequest(HookRequest):
    """One call of the service for `encounter-start`."""

    context: EncounterStartContext


class AppointmentBookRequest(HookRequest):
    """One call of the service for `appointment-book`."""

    context: AppointmentBookContext


_REQUESTS: dict[str, type[HookRequest]] = {
    "encounter-start": EncounterStartRequest,
    "appointment-book": AppointmentBookRequest,
}
"""Of the hooks whose context differs from patient-view's."""


def read_hook_request(document: Any, hook: str) -> HookRequest:
    """The request in a JSON `document` for a service that serves `hook`.

    Raises BadRequest naming every field that is missing or wrong.
    """
    if isinstance(document, dict) and isinstance(document.get("hook"), str) and document["hook"] != hook:
        raise BadRequest(f"This service serves the hook {hook}.", expression=["hook"])
    try:
        return _REQUESTS.get(hook, HookRequest).model_validate(document)
    except ValidationError as error:
        raise refusal(error) from None


def refusal(error: ValidationError) -> BadRequest:
    """The refusal for a failed validation: paths and kinds of fault, no values."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    fields, words = [], []
    for fault in faults[:MAX_FAULTS_NAMED]:
        ours = fault["type"].startswith(_RULE)
        fields.append(_path((*fault["loc"], *([fault["type"].removeprefix(_RULE)] if ours else []))) or "$this")
        missing = "is missing" if fault["type"] == "missing" else "is not valid"
        words.append(fault["msg"] if ours else f"{fields[-1]} {missing}")
    return BadRequest("The request is not valid.", diagnostics="; ".join(words), expression=fields)


def rule(field: str, message: str) -> PydanticCustomError:
    """The error of a rule between fields: `field` (relative to the model) is at fault, `message` says why."""
    return PydanticCustomError(f"{_RULE}{field}", f"{message}")


_RULE = "rule:"


def _path(location: tuple[int | str, ...]) -> str:
    """`("feedback", 0, "card")` as `feedback[0].card`."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")
