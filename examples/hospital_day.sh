#!/usr/bin/env bash
# A hospital's whole way on invented patients: from a bulk export to a card from the model that was fitted on it.
#   examples/hospital_day.sh [--small] [--out FOLDER]      (an hour or so on 2 idle cores; --small: the least, in minutes)
# Everything lies in FOLDER (var/hospital_day); a step that is done is not done again, so the same command goes on.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

out=$root/var/hospital_day small=
while [ $# -gt 0 ]; do
  case $1 in
    --small) small=yes ;;
    --out) out=$(realpath -m "$2"); shift ;;
    *) echo "usage: examples/hospital_day.sh [--small] [--out FOLDER]" >&2; exit 2 ;;
  esac
  shift
done
cd "$root"
export PATH="$root/.venv/bin:$PATH"
if [ "$small" ]; then
  patients=30 recipe=examples/hospital_day/small.yaml simulated=120 notes=8 variants=0 steps=2 split=train against=
else
  patients=600 recipe=examples/hospital_day/recipe.yaml simulated=600 notes=200 variants=10 steps=40 split=test against="--against shipped"
fi
mkdir -p "$out"; chmod 700 "$out"
number=0
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true' EXIT

step() { # title, what it leaves (it is done when that is there), command …
  number=$((number + 1))
  local title=$1 leaves=$2; shift 2
  if [ -e "$leaves" ]; then echo "[$number] $title: done before, $leaves"; return; fi
  echo "[$number] $title"
  local began=$SECONDS log="$out/log/$number.log"
  mkdir -p "$out/log"
  if ! "$@" >"$log" 2>&1; then echo "  failed, see $log" >&2; tail -n 20 "$log" >&2; exit 1; fi
  echo "        $((SECONDS - began)) s  $leaves"
}

# A hospital has these: charts, a server that exports them, a key that stays in the house.
charts() {
  dxspan-train write-charts --out "$out/charts" --count "$patients" --named --coded &&
  dxspan-train export --from "$out/charts" --out "$out/ehr.part" && mv "$out/ehr.part" "$out/ehr"
}
export_from_server() {
  rm -rf "$out/server"
  python -m tests.training.serve_bulk_folder "$out/ehr" --ready "$out/server" & server=$!
  for _ in $(seq 1200); do [ -e "$out/server/url" ] && break; sleep 0.1; done
  dxspan-train export --from "$(cat "$out/server/url")" --out "$out/export" --client-id data-team --key "$out/server/key.pem"
  local status=$?
  kill "$server"; wait "$server" || true; server=
  return $status
}
base_encoder() { # the small form starts from a tiny encoder of random weights
  if [ "$small" ]; then python -m examples.hospital_day.tiny_encoder "$out/base"; fi
}
secret() { # the small form has one key for ever, so that it does the same each time
  if [ "$small" ]; then echo "of an example alone, never of a hospital"; else head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; fi
}
[ -e "$out/hospital.key" ] || (umask 077; secret >"$out/hospital.key")
resume() { if [ -n "$(ls -d "$out"/$1 2>/dev/null)" ]; then echo --resume; fi; } # where a run that was cut left a checkpoint
pretrain() { dxspan-train pretrain $(resume "pretrained/checkpoints/checkpoint-*") --from "$out/prepared" --out "$out/pretrained" ${small:+--model "$out/base"} --steps $steps --batch 8 --longest 128; }
fit() { dxspan-train fit $(resume fitted/checkpoint.pt) --with "$out/prepared" --model "$out/pretrained/encoder" --recipe $recipe --out "$out/fitted" && touch "$out/fitted/done"; }
bundle() { # $1: where the composed bundle goes; more: a gate
  local composed=$1; shift
  dxspan-train export-model --model "$out/pretrained/encoder" --trained "$out/fitted" --out "$out/bundle" \
    --bundle-version hospital-day --compose "$composed" --with-knowledge "$@"
}
gated() {
  if [ "$small" ]; then bundle "$out/composed"; return; fi
  bundle "$out/composed" --gate-on "$out/prepared" --gate examples/hospital_day/gate.yaml
}
calibrate() { # with the hospital's own notes where a dry run says that its patients are enough
  local command=(dxspan-train calibrate --bundle "$out/uncalibrated" --patients $simulated --write "$out/bundle/calibration.json")
  if "${command[@]}" --prepared "$out/prepared" --dry-run; then command+=(--prepared "$out/prepared"); fi
  "${command[@]}"
}
evaluate() {
  dxspan-train evaluate-site --prepared "$out/prepared" --bundle "$out/composed" $against --most $notes \
    --variants $variants --fewest 5 --split "$split" --out "$out/evaluation"
}

step "an EHR with $patients invented patients" "$out/ehr" charts
step "export from its server" "$out/export/export-report.json" export_from_server
step "de-identification" "$out/deidentified" dxspan-train deidentify --in "$out/export" --out "$out/deidentified" \
  --key-file "$out/hospital.key" --profile expert-shift --workers 2
step "preparation" "$out/prepared/data_card.md" dxspan-train prepare --from "$out/deidentified" --out "$out/prepared" \
  --split-key "$out/hospital.key" --shares 60,20,20 --workers 2
[ -z "$small" ] || step "a tiny encoder in place of the shipped one" "$out/base/tokenizer.json" base_encoder
step "pretraining on the notes" "$out/pretrained/report.json" pretrain
step "fitting, with the notes" "$out/fitted/done" fit
if [ ! "$small" ]; then # what is learned behind these heads; the small form does without
  step "export, to learn behind its heads" "$out/plain" bundle "$out/plain"
  step "which findings clauses mean" "$out/bundle/concept_linker.safetensors" dxspan-train fit-linker --bundle "$out/plain" \
    --out "$out/bundle/concept_linker.safetensors" --write "$out/linking.md"
  step "how far readings can be trusted" "$out/bundle/reading_trust.json" dxspan-train fit-trust --bundle "$out/plain" \
    --write "$out/bundle/reading_trust.json"
  step "which cases sentences read like" "$out/bundle/case_matcher.safetensors" dxspan-train fit-matcher --bundle "$out/plain" \
    --prepared "$out/prepared" --out "$out/bundle/case_matcher.safetensors" --write "$out/matching.md"
fi
step "export as a bundle" "$out/uncalibrated" bundle "$out/uncalibrated"
step "calibration" "$out/bundle/calibration.json" calibrate
step "export with its calibration, through the gate" "$out/composed" gated
step "evaluation on the hospital's notes" "$out/evaluation/report.html" evaluate
step "its model card" "$out/bundle/model_card.md" dxspan-train model-card --site --bundle "$out/bundle" --run "$out/fitted" \
  --evaluation "$out/evaluation/report.json"
echo "[last] Redis, a worker, the service, one patient opened"
python -m examples.hospital_day.open_one_chart --bundle "$out/composed" --charts "$out/charts/bundles.ndjson" --out "$out/served"

cat <<REPORTS
Reports, what each means: docs/training_reports.md
  $out/export/export-report.json        what the server gave
  $out/deidentified.work/report.json    what was found and replaced, by kind
  $out/prepared/data_card.md            what the notes are like
  $out/pretrained/report.json           perplexity before and after
  $out/fitted/history.jsonl             what the heads learned, step by step
  $out/bundle/parity.json               how near the exported graph computes to torch
  $out/bundle/calibration.json          from scores to probabilities
  $out/evaluation/report.html           how good, for whom
  $out/bundle/model_card.md             what this model is, in one page
  $out/served/answer.json               the card
REPORTS
[ "$small" ] || cat <<REPORTS
  $out/linking.md                       how well it is told what clauses mean
  $out/bundle/gate.json                 what the gate found
REPORTS
