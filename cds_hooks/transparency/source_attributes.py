"""The 31 source attributes of 45 CFR 170.315(b)(11)(iv): what is said of each, with the figures put in.

Input: figures by name. Output: each attribute's value with who filled it and from where. Every number stands in braces and
comes from a figure, none is written here; what is not known reads "not available", never blank. Knows no file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cds_hooks.transparency.figures import Figure
from cds_hooks.transparency.source_attributes_zh import CHINESE
from cds_hooks.transparency.source_attributes_zh import NOT_AVAILABLE as NOT_AVAILABLE_ZH
from nlp_core.assessment import Language

NOT_AVAILABLE = "not available"
FilledBy = Literal["machine", "settings", "text", "nobody"]
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class SourceAttribute:
    """One attribute: its name and what is said of it."""

    key: str
    name: str
    says: str
    """`{figure}` stands for a figure; empty = not known."""

    @property
    def figures(self) -> tuple[str, ...]:
        """Names of its figures, in their order."""
        return tuple(dict.fromkeys(_PLACEHOLDER.findall(self.says)))


@dataclass(frozen=True, slots=True)
class Filled:
    """One attribute as it is told."""

    number: int
    key: str
    name: str
    value: str
    filled_by: FilledBy
    """`machine`: at least one figure was measured, is in the code that runs, or was counted."""
    sources: tuple[Figure, ...]


_A = SourceAttribute
ATTRIBUTES = (
    _A("developer", "Developer: name and contact", "{developer}; {developer_contact}"),
    _A("funding_source", "Funding of the development", "{funding}"),
    _A(
        "output_value",
        "What is put out",
        "At most {most_shown} of {diagnoses} diagnoses on one card, each with an ICD-10-CM code, a word with a range of calibrated "
        "probability, and the words of the notes for and against it, drawn from {findings} findings. No card where the leading "
        "probability is below {silence_below}; no diagnosis whose evidence adds up to less than {least_weight} in log odds.",
    ),
    _A(
        "output_type",
        "Type of output",
        "Recommendation, from a classification: a ranked list of at most {most_shown} diagnoses to consider.",
    ),
    _A(
        "intended_use",
        "Intended use",
        "A second look at the chart when a clinician opens it: diagnoses worth considering, with the words that speak for and "
        "against each. It supports a decision and makes none.",
    ),
    _A(
        "intended_population",
        "Intended patients",
        "Patients of any age with notes in English or Chinese. {sex_limited} diagnoses are kept to one sex, and each to the ages at "
        "which it occurs; deceased patients get no card.",
    ),
    _A(
        "intended_users",
        "Intended users",
        "Clinicians who treat the patient. Not patients, not billing, not triage desks.",
    ),
    _A(
        "decision_role",
        "Role in the decision",
        "Informs. Cards are marked {indicators}, never critical; nothing is ordered, and nothing is written unless the user "
        "accepts it.",
    ),
    _A(
        "cautioned_use",
        "Where not to use it",
        "Not for emergencies that cannot wait, not to rule a diagnosis out: silence is not reassurance. It is silent by itself "
        "for: {silences}.",
    ),
    _A(
        "known_risks",
        "Known risks, limits and inaccuracies",
        "Right less often than its word says, or unsure where it should be sure: mean error of the leading probability "
        "{own_en_error} and {own_zh_error} on our own English and Chinese cases, {vignettes_error} on vignettes, "
        "{notes_whole_error} on whole notes. Found least when simulated, with the share found within three: {least_found}. No "
        "clinician has reviewed the knowledge.",
    ),
    _A(
        "training_criteria",
        "Inclusion and exclusion of training data",
        "Included: text that the project wrote, that is names of the knowledge, phrases, and invented charts ({recipe_chinese} of "
        "them Chinese, as a share; {recipe_steps} steps, {recipe_tuning} of rank {recipe_rank}, seed {recipe_seed}), on "
        "{base_package} {base_version}. Excluded: every patient's data, and every text it is evaluated on.",
    ),
    _A(
        "sensitive_variables",
        "Use of race, ethnicity, language, sexual orientation, gender identity, sex, date of birth, social determinants, health status",
        "What is known of a patient: {chart_fields}. Age and sex move the diagnoses; race, ethnicity, sexual orientation, gender "
        "identity and insurance are no input. What a note says of habits, circumstances or health is read as a finding "
        "where the knowledge has one.",
    ),
    _A(
        "training_representativeness",
        "How far training data represent the patients",
        "No patient's data was used, so they represent none. Probabilities were fitted on {calibrated_on}; trust in what is read, "
        "on {trust_fitted_on}; what clauses mean was learned on {judged_clauses} clauses of notes of our own, each judged in its sentence.",
    ),
    _A(
        "training_relevance",
        "Relevance of training data to the setting",
        "Invented charts imitate notes of clinics and wards in English and Chinese. A hospital's own layouts and abbreviations "
        "are read less well until the model is fitted there.",
    ),
    _A(
        "fairness_approach",
        "Approach to fairness",
        "The same case is told of another patient, and the leading diagnosis must stay. It changed in {swap_sex} of swaps of "
        "sex, {swap_age} of two years of age, {swap_name} of names (in brackets the interval). Measured with "
        "{fairness_model}.",
    ),
    _A(
        "bias_management",
        "Management of bias",
        "Names of persons are left out of reading ({swap_name} changed), both languages share one encoder ({recipe_chinese} of its "
        "charts are Chinese, as a share), and the same threshold holds for all.",
    ),
    _A(
        "external_data",
        "External validation: data",
        "Public texts that nothing was trained on: {notes_inferred_rows} + {notes_whole_rows} notes, {vignettes_rows} vignettes of "
        "examinations, {ddxplus_rows} simulated interviews. No hospital's data.",
    ),
    _A(
        "external_party",
        "External validation: who did it",
        "The project itself; nobody else has.",
    ),
    _A(
        "external_representativeness",
        "External validation: how far the data represent patients",
        "They do not: they are examination and teaching texts. Their diagnosis is one that dxspan knows in {notes_inferred_in_scope}, "
        "{notes_whole_in_scope}, {vignettes_in_scope} and {ddxplus_in_scope} percent.",
    ),
    _A(
        "external_process",
        "External validation: process",
        "Each text goes the way of serving, without the threshold of silence; a hit is the same ICD-10-CM category. Model "
        "{evaluated_model}, knowledge {evaluated_knowledge}, {evaluated_on}.",
    ),
    _A(
        "validity_same_source",
        "Validity in data of the same source",
        "Right diagnosis within three, percent with interval: {own_en} of {own_en_cases} own cases in English, {own_zh} of "
        "{own_zh_cases} in Chinese; {simulated_top_3} of simulated patients, {simulated_top_3_few} where few findings are "
        "known. Calibration error {calibration_error}, of the leading {leading_error}, on patients held apart.",
    ),
    _A(
        "fairness_same_source",
        "Fairness in data of the same source",
        "Within three, percent with interval: {own_en} in English, {own_zh} in Chinese. Leading diagnosis changed by sex "
        "{swap_sex}, by age {swap_age}, by name {swap_name}.",
    ),
    _A(
        "validity_external",
        "Validity in external data",
        "First, then within three with interval, in percent: {notes_inferred_1}, {notes_inferred_3} of notes that do not name it; "
        "{notes_whole_1}, {notes_whole_3} of whole notes; {vignettes_1}, {vignettes_3} of vignettes; {ddxplus_1}, {ddxplus_3} of "
        "interviews. On vignettes the leading probability is {vignettes_mean} on average, and {vignettes_right} are "
        "right. Calibration measured with {calibration_model}.",
    ),
    _A("fairness_external", "Fairness in external data", ""),
    _A("outcome_evaluation", "Evaluation of outcomes", ""),
    _A(
        "validity_monitoring",
        "How validity is monitored",
        "What users make of each diagnosis is counted over {acceptance_days} days; one that is accepted in less than {mute_below} of "
        "{mute_after_shows} showings is muted for that tenant. Each release is measured ({evaluations} times so far).",
    ),
    _A(
        "validity_local",
        "Validity in local data",
        "Of {shown} suggestions shown here {accepted_share} were accepted.",
    ),
    _A(
        "fairness_monitoring",
        "How fairness is monitored",
        "By the swaps above, before each release; last with {fairness_model}.",
    ),
    _A("fairness_local", "Fairness in local data", ""),
    _A(
        "update_process",
        "How it is updated and validated again",
        "Whenever knowledge or model changes, it is evaluated, calibrated and measured for fairness anew, and these figures must "
        "agree with the files or the tests fail. Installed: bundle {bundle}, {own_bundle}; last evaluated: "
        "{evaluated_model}, {evaluated_on}.",
    ),
    _A(
        "correction_frequency",
        "How often performance is corrected",
        "{evaluations} evaluated versions from {first_evaluated} to {evaluated_on}; no fixed schedule.",
    ),
)


def filled(figures: Mapping[str, Figure], language: Language = "en") -> list[Filled]:
    """Every attribute, in the order of the rule."""
    told = ATTRIBUTES if language == "en" else [_A(one.key, *CHINESE[one.key]) for one in ATTRIBUTES]
    missing = NOT_AVAILABLE if language == "en" else NOT_AVAILABLE_ZH
    return [_filled(number, attribute, figures, missing) for number, attribute in enumerate(told, start=1)]


def _filled(number: int, attribute: SourceAttribute, figures: Mapping[str, Figure], missing: str) -> Filled:
    """`missing`: what stands for what is not known."""
    known = {name: figures[name] for name in attribute.figures if figures[name].value is not None}
    if not attribute.says or (attribute.figures and not known):
        return Filled(number, attribute.key, attribute.name, missing, "nobody", ())
    value = _PLACEHOLDER.sub(lambda found: str(known[found[1]].value) if found[1] in known else missing, attribute.says)
    by: FilledBy = "text"
    if known:
        by = "settings" if all(figure.kind == "settings" for figure in known.values()) else "machine"
    return Filled(number, attribute.key, attribute.name, value, by, tuple(known.values()))
