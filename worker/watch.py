"""What Prometheus may see of the readings: counts, times and states, never a word of a chart nor a tenant's name."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

READINGS = Counter(
    "dxspan_readings_total",
    "Readings asked of a client, by way (queue, process) and outcome (answered, cached, or why there was no answer).",
    ["way", "outcome"],
)
FALLBACKS = Counter("dxspan_queue_fallbacks_total", "Readings that left the queue for the in-process reader.")
SHED = Counter("dxspan_precompute_shed_total", "Charts that were not precomputed because opened ones were waiting.")
BREAKER_OPEN = Gauge("dxspan_queue_breaker_open", "1 while the queue is left alone after a fault of Redis.")
CANARY_SECONDS = Gauge("dxspan_canary_seconds", "Time of the last canary task through a worker; +Inf when it was lost.")
OWN_CANARY_SECONDS = Gauge(
    "dxspan_own_canary_seconds", "Time of the last canary a worker sent to itself; +Inf when it was lost, and it ends."
)
WORKER_TASKS = Counter(
    "dxspan_worker_tasks_total",
    "Tasks a worker took up, by outcome (read, partial, cached, asked, later, gave-way, stale, gone, quarantined, failed, unreadable).",
    ["outcome"],
)
WORKER_READING_SECONDS = Histogram(
    "dxspan_worker_reading_seconds",
    "Time a worker spent reading one chart.",
    buckets=(0.01, 0.03, 0.1, 0.3, 0.5, 1.0, 1.5, 3.0, 10.0),
)
DEVICE_FAULTS = Gauge(
    "dxspan_device_faults",
    "Faults of the GPU since this process started: memory (the batch was halved, or read on the CPU), numbers (what it gave "
    "are none: read on the CPU), lost.",
    ["fault"],
)
MODEL_FAULTS = Counter(
    "dxspan_model_faults_total",
    "Readings that failed because the model gave numbers that are none, by the fault's name: no card came of them.",
    ["fault"],
)
PARTLY_READ = Counter(
    "dxspan_partly_read_notes_total",
    "Notes read in part: the beginning alone (length), or by names alone for want of time (time) or because the encoder "
    "failed (model).",
    ["why"],
)
QUEUE_WAIT_SECONDS = Histogram(
    "dxspan_queue_wait_seconds",
    "Time from sealing a chart to its pick-up by a worker, by Redis's clock.",
    buckets=(0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 120.0),
)
SENTENCES = Counter(
    "dxspan_sentences_total",
    "Different sentences of each note that were to be read, by what answered: another note of the chart read with it, this "
    "process's memory, the one shared in redis, or the encoder.",
    ["found"],
)
SENTENCE_CHARACTERS = Counter("dxspan_sentence_characters_total", "The same in characters.", ["found"])
SENTENCE_BYTES = Gauge("dxspan_sentence_memory_bytes", "Size of this process's memory of sentences.")
GAVE_WAY = Counter(
    "dxspan_gave_way_total", "Readings nobody waited for that stopped for one somebody waited for, to go on later."
)
DEAD_LETTERS = Counter("dxspan_dead_letters_total", "Charts quarantined because two readings of them had failed.")
JUNK = Counter("dxspan_queue_junk_total", "Entries of the queue that were no messages and were thrown away.")
CLOCK_SKEW_SECONDS = Gauge(
    "dxspan_clock_skew_seconds", "How far this machine's clock is ahead of Redis's, at the last comparison."
)
