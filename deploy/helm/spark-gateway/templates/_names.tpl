{{- define "spark-gateway.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "spark-gateway.fullname" -}}
{{- $name := include "spark-gateway.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Of objects that belong to no namespace: two releases of one name may live in two namespaces. */}}
{{- define "spark-gateway.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "spark-gateway.fullname" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "spark-gateway.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "spark-gateway.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "spark-gateway.claim" -}}
{{- default (printf "%s-state" (include "spark-gateway.fullname" .)) .Values.embedded.persistence.existingClaim -}}
{{- end -}}

{{- define "spark-gateway.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}

{{- define "spark-gateway.selector" -}}
app.kubernetes.io/name: {{ include "spark-gateway.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "spark-gateway.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "spark-gateway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: spark-gateway
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}
