#!/usr/bin/env bash
# Makes the lock files anew: exact versions with hashes, no addresses. The torch locks, base-encoder.lock and
# postgresql-server.lock are kept by hand, because torch comes in two builds and the others are installed without dependencies.
set -euo pipefail
cd "$(dirname "$0")"
compile=(uv pip compile --python-version 3.11 --python-platform linux --generate-hashes
  --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet)
"${compile[@]}" run.in -o run.lock
"${compile[@]}" web.in -o web.lock
"${compile[@]}" gpu.in -o gpu.lock
"${compile[@]}" --override no-torch.txt test.in -o test.lock
"${compile[@]}" fuzz.in -o fuzz.lock
"${compile[@]}" cluster.in -o cluster.lock
"${compile[@]}" tensorrt.in -o tensorrt.lock
"${compile[@]}" --no-deps containers.in -o containers.lock
sed -i '1i # What serving, working and the demo need. Made from run.in by `make lock`.' run.lock
sed -i '1i # What the web image needs of it. Made from web.in by `make lock`.' web.lock
sed -i '1i # What the GPU worker'"'"'s image needs. Made from gpu.in by `make lock`.' gpu.lock
sed -i '1i # What tests, checks and the export of the model need besides. Made from test.in by `make lock`.' test.lock
sed -i '1i # What `make fuzz` needs besides. Made from fuzz.in by `make lock`.' fuzz.lock
sed -i '1i # What `--engine ray` needs besides: de-identification and preparation on a cluster. Made from cluster.in by `make lock`.' cluster.lock
sed -i '1i # TensorRT for building and running engines. Made from tensorrt.in by `make lock`.' tensorrt.lock
sed -i '1i # What checks the images and the chart, installed with --no-deps. Made from containers.in by `make lock`.' containers.lock
