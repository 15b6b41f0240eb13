{{- define "dxspan.name" -}}{{ printf "%s-%s" .Release.Name "dxspan" | trunc 50 | trimSuffix "-" }}{{- end }}

{{- define "dxspan.labels" -}}
app.kubernetes.io/name: dxspan
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "dxspan.allLabels" -}}
{{ include "dxspan.labels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* Needs root, image. */}}
{{- define "dxspan.image" -}}
{{ .root.Values.image.registry }}{{ .image.name }}{{ if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{/* Refuses to render without what nobody can guess. */}}
{{- define "dxspan.secret" -}}
{{ required "existingSecret: name the Secret with redis-url-web, redis-url-worker, queue-key, feedback-key, audit-key, database-url" .Values.existingSecret }}
{{- end }}

{{- define "dxspan.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "dxspan.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* Needs root, role (web or worker). Secrets by reference alone. */}}
{{- define "dxspan.environment" -}}
{{- $secret := include "dxspan.secret" .root -}}
- name: DXSPAN_REDIS_URL
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: redis-url-{{ .role }}}}
- name: DXSPAN_QUEUE_KEY
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: queue-key}}
{{- if .root.Values.redisAuthorityConfigMap }}
- name: DXSPAN_REDIS_CA_FILE
  value: /etc/dxspan/redis/ca.pem
{{- end }}
{{- if .root.Values.tracing.endpoint }}
- {name: DXSPAN_TRACING, value: "true"}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .root.Values.tracing.endpoint | quote }}
{{- end }}
{{- range $name, $value := .root.Values.settings }}
{{- if regexMatch "(KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL|DATABASE_URL|REDIS_URL|SUBSCRIPTIONS)" $name }}
{{- fail (printf "settings.%s: a secret belongs into existingSecret" $name) }}
{{- end }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{- define "dxspan.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/* One pod on each machine while there are machines. Needs root, component. */}}
{{- define "dxspan.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "dxspan.labels" . | nindent 8 }}
{{- end }}

{{/* Scales workers of one kind by the queue. Needs root, component, keda, pods (of which load is asked, for PromQL). */}}
{{- define "dxspan.scaledObject" -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ include "dxspan.name" .root }}-{{ .component }}
  labels: {{- include "dxspan.allLabels" . | nindent 4 }}
spec:
  scaleTargetRef: {name: {{ include "dxspan.name" .root }}-{{ .component }}}
  minReplicaCount: {{ .keda.minReplicas }}
  maxReplicaCount: {{ .keda.maxReplicas }}
  pollingInterval: 10
  cooldownPeriod: 600
  triggers:
    # Charts that somebody waits for, and that no worker has taken yet. The name carries the message version.
    - type: redis
      metadata: {listName: "dxspan:{{ .root.Values.queueName | default "fresh.v7" }}", listLength: {{ .keda.waitingPerWorker | quote }}, enableTLS: "true"}
      authenticationRef: {name: {{ include "dxspan.name" .root }}-queue}
    {{- with .root.Values.worker.keda.prometheusUrl }}
    # Workers' seconds of reading in a second: scales before charts have to wait.
    - type: prometheus
      metadata:
        serverAddress: {{ . | quote }}
        query: sum(rate(dxspan_worker_reading_seconds_sum{namespace="{{ $.root.Release.Namespace }}"{{ $.pods }}}[1m]))
        threshold: {{ $.keda.busyShare | quote }}
    {{- end }}
{{- end }}

{{/* Pod template of a worker. Needs root, component, values. */}}
{{- define "dxspan.workerPod" -}}
metadata:
  labels: {{- include "dxspan.allLabels" . | nindent 4 }}
  {{- with .root.Values.podAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "dxspan.podSecurity" . | nindent 2 }}
  {{- include "dxspan.pullSecrets" .root | nindent 2 }}
  {{- include "dxspan.spread" . | nindent 2 }}
  terminationGracePeriodSeconds: 30  # the chart in hand is read to its end
  {{- with .values.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- with .values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: worker
      image: {{ include "dxspan.image" (dict "root" .root "image" .values.image) }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      {{- include "dxspan.containerSecurity" . | nindent 6 }}
      env:
        {{- include "dxspan.environment" (dict "root" .root "role" "worker") | nindent 8 }}
        - {name: DXSPAN_WORKER_METRICS_PORT, value: "9100"}
        - {name: DXSPAN_WORKER_METRICS_ADDRESS, value: 0.0.0.0}
      ports: [{name: metrics, containerPort: 9100}]
      # The process answers. Whether it takes tasks it asks itself, every few seconds, and ends when not (docs/queue.md);
      # a probe through the queue would restart every worker when Redis is away.
      startupProbe: {httpGet: {path: /metrics, port: metrics}, periodSeconds: 5, failureThreshold: 24}
      livenessProbe: {httpGet: {path: /metrics, port: metrics}, periodSeconds: 20, timeoutSeconds: 10, failureThreshold: 3}
      # Workers take tasks: holds a rollout back that no longer answers a canary.
      readinessProbe:
        exec: {command: [dxspan-worker, --check]}
        periodSeconds: 60
        timeoutSeconds: 20
      resources: {{- toYaml .values.resources | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        {{- if .root.Values.redisAuthorityConfigMap }}
        - {name: redis-authority, mountPath: /etc/dxspan/redis, readOnly: true}
        {{- end }}
  volumes:
    - {name: tmp, emptyDir: {medium: Memory, sizeLimit: 64Mi}}
    {{- if .root.Values.redisAuthorityConfigMap }}
    - {name: redis-authority, configMap: {name: {{ .root.Values.redisAuthorityConfigMap }}}}
    {{- end }}
{{- end }}
