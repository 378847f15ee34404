{{/* Secrets that pods see as folders below /etc/spark-gateway, each with the one file that the configuration names. */}}
{{- define "spark-gateway.secrets" -}}
{{- $secrets := list -}}
{{- if .Values.postgresql.secret -}}
{{- $secrets = append $secrets (dict "name" "postgresql" "secret" .Values.postgresql.secret "keys" (list .Values.postgresql.key)) -}}
{{- end -}}
{{- if .Values.driverTokenKey.secret -}}
{{- $secrets = append $secrets (dict "name" "driver-token-key" "secret" .Values.driverTokenKey.secret "keys" (list .Values.driverTokenKey.key)) -}}
{{- end -}}
{{- if .Values.clientTokens.secret -}}
{{- $secrets = append $secrets (dict "name" "client-tokens" "secret" .Values.clientTokens.secret "keys" (list .Values.clientTokens.key)) -}}
{{- end -}}
{{- if .Values.adminTokens.secret -}}
{{- $secrets = append $secrets (dict "name" "admin-tokens" "secret" .Values.adminTokens.secret "keys" (list .Values.adminTokens.key)) -}}
{{- end -}}
{{- if .Values.tls.secret -}}
{{- $secrets = append $secrets (dict "name" "tls" "secret" .Values.tls.secret "keys" (list "tls.crt" "tls.key")) -}}
{{- end -}}
{{- toJson $secrets -}}
{{- end -}}

{{- define "spark-gateway.mounts" -}}
- {name: config, mountPath: /etc/spark-gateway/config, readOnly: true}
{{- range include "spark-gateway.secrets" . | fromJsonArray }}
- {name: {{ .name }}, mountPath: /etc/spark-gateway/{{ .name }}, readOnly: true}
{{- end }}
{{- range $index, $mount := .Values.secretMounts }}
- {name: secret-{{ $index }}, mountPath: {{ $mount.path | quote }}, readOnly: true}
{{- end }}
- {name: state, mountPath: /var/lib/spark-gateway}
- {name: tmp, mountPath: /tmp}
{{- end -}}

{{/* The group may read: that is fsGroup, and only the gateway is in it. */}}
{{- define "spark-gateway.volumes" -}}
- name: config
  configMap:
    name: {{ include "spark-gateway.fullname" . }}
{{- range include "spark-gateway.secrets" . | fromJsonArray }}
- name: {{ .name }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    items:
      {{- range .keys }}
      - {key: {{ . | quote }}, path: {{ . | quote }}}
      {{- end }}
{{- end }}
{{- if .Values.postgresql.ownerSecret }}
- name: postgresql-owner
  secret:
    secretName: {{ .Values.postgresql.ownerSecret }}
    defaultMode: 0440
    items:
      - {key: {{ .Values.postgresql.ownerKey | quote }}, path: {{ .Values.postgresql.ownerKey | quote }}}
{{- end }}
{{- range $index, $mount := .Values.secretMounts }}
- name: secret-{{ $index }}
  secret:
    secretName: {{ $mount.secret }}
    defaultMode: 0440
{{- end }}
- name: state
  {{- if and .Values.embedded.enabled .Values.embedded.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ include "spark-gateway.claim" . }}
  {{- else }}
  emptyDir: {sizeLimit: 1Gi}
  {{- end }}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- end -}}

{{- define "spark-gateway.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "spark-gateway.env" -}}
# The runtime's diagnostic port would be a socket in /tmp.
- {name: DOTNET_EnableDiagnostics, value: "0"}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
