{{/* The configuration that pods read: that of the values, and what follows from the other values. */}}
{{- define "spark-gateway.config" -}}
{{- $own := dict "platform" "kubernetes" "state_dir" "/var/lib/spark-gateway/state" -}}
{{- $store := dict "kind" (ternary "sqlite" "postgres" .Values.embedded.enabled) -}}
{{- if not .Values.embedded.enabled -}}
{{- $_ := set $store "connection_string_file" (printf "/etc/spark-gateway/postgresql/%s" .Values.postgresql.key) -}}
{{- end -}}
{{- $_ := set $own "store" $store -}}
{{- $connect := dict -}}
{{- if .Values.clientTokens.secret -}}
{{- $_ := set $connect "token_file" (printf "/etc/spark-gateway/client-tokens/%s" .Values.clientTokens.key) -}}
{{- end -}}
{{- if .Values.tls.secret -}}
{{- $_ := set $connect "tls" (dict "cert_file" "/etc/spark-gateway/tls/tls.crt" "key_file" "/etc/spark-gateway/tls/tls.key") -}}
{{- end -}}
{{- $_ := set $own "spark_connect" $connect -}}
{{- if .Values.driverTokenKey.secret -}}
{{- $_ := set $own "driver_token_key_file" (printf "/etc/spark-gateway/driver-token-key/%s" .Values.driverTokenKey.key) -}}
{{- end -}}
{{- if .Values.adminTokens.secret -}}
{{- $_ := set $own "admin" (dict "token_file" (printf "/etc/spark-gateway/admin-tokens/%s" .Values.adminTokens.key)) -}}
{{- end -}}
{{- if .Values.sessions.namespaces -}}
{{- $_ := set $own "kubernetes" (dict "namespaces" .Values.sessions.namespaces) -}}
{{- end -}}
{{- toYaml (dict "config" (mergeOverwrite (deepCopy .Values.config) $own)) -}}
{{- end -}}

{{/* Changes with what a running pod does not read again: attached sessions are read again. */}}
{{- define "spark-gateway.configChecksum" -}}
{{- $all := include "spark-gateway.config" . | fromYaml -}}
{{- $connect := omit (get $all.config "spark_connect") "attached" -}}
{{- mergeOverwrite (omit $all.config "spark_connect") (dict "spark_connect" $connect) | toYaml | sha256sum -}}
{{- end -}}

{{- define "spark-gateway.port" -}}
{{- dig "spark_connect" "port" 15002 .Values.config | int -}}
{{- end -}}

{{- define "spark-gateway.healthPort" -}}
{{- dig "health" "port" 0 .Values.config | int -}}
{{- end -}}

{{- define "spark-gateway.drainSeconds" -}}
{{- dig "spark_connect" "drain_seconds" 30 .Values.config | int -}}
{{- end -}}
