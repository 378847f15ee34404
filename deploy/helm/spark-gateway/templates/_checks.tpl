{{/* What the schema cannot say: each in words, with what to do. */}}
{{- define "spark-gateway.checks" -}}
{{- $owned := list
  (list "platform" "the chart, always kubernetes")
  (list "state_dir" "the chart")
  (list "store.kind" "embedded.enabled")
  (list "store.connection_string_file" "postgresql.secret")
  (list "driver_token_key_file" "driverTokenKey.secret")
  (list "admin.token_file" "adminTokens.secret")
  (list "spark_connect.token_file" "clientTokens.secret")
  (list "spark_connect.tls.cert_file" "tls.secret")
  (list "spark_connect.tls.key_file" "tls.secret")
  (list "kubernetes.namespaces" "sessions.namespaces") -}}
{{- range $owned -}}
{{- $here := $.Values.config -}}
{{- range splitList "." (first .) -}}
{{- $here = ternary (get (ternary $here dict (kindIs "map" $here)) .) "" (kindIs "map" $here) -}}
{{- end -}}
{{- if $here -}}
{{- fail (printf "config.%s is set by %s; take it out of config." (first .) (last .)) -}}
{{- end -}}
{{- end -}}

{{- if hasKey .Values.config "config" -}}
{{- fail "config.config: leave the inner config: out; the value config is what stands under it in config/gateway.yml." -}}
{{- end -}}
{{- if eq (include "spark-gateway.healthPort" .) (include "spark-gateway.port" .) -}}
{{- fail (printf "config.health.port and config.spark_connect.port are both %s; give them two ports." (include "spark-gateway.port" .)) -}}
{{- end -}}

{{- if .Values.embedded.enabled -}}
{{- if or (gt (int .Values.replicaCount) 1) .Values.autoscaling.enabled -}}
{{- fail "embedded.enabled is for one replica: SQLite belongs to one process. Set replicaCount to 1 and autoscaling.enabled to false, or use PostgreSQL: embedded.enabled=false and postgresql.secret." -}}
{{- end -}}
{{- if .Values.postgresql.secret -}}
{{- fail "embedded.enabled and postgresql.secret exclude each other; take one out." -}}
{{- end -}}
{{- else -}}
{{- if not .Values.postgresql.secret -}}
{{- fail "postgresql.secret is empty: name a Secret with PostgreSQL's connection string, or try the gateway without one: -f values-embedded.yaml." -}}
{{- end -}}
{{- if not .Values.driverTokenKey.secret -}}
{{- fail "driverTokenKey.secret is empty, and every replica must know the same key: kubectl create secret generic spark-gateway-driver-key --from-literal=key=$(head -c 32 /dev/urandom | base64), then driverTokenKey.secret=spark-gateway-driver-key." -}}
{{- end -}}
{{- end -}}

{{- if and (not .Values.sessions.namespaces) (not .Values.sessions.clusterWide) -}}
{{- fail "sessions.namespaces is empty, so no driver could run anywhere: list the namespaces of your teams, such as sjns-data-staging, or set sessions.clusterWide=true." -}}
{{- end -}}
{{- if and .Values.sessions.driverServiceAccount.create (not .Values.sessions.namespaces) -}}
{{- fail "sessions.driverServiceAccount.create makes a service account in each of sessions.namespaces, which is empty: list them, or make the accounts yourself." -}}
{{- end -}}
{{- range $name, $profile := dig "kubernetes" "profiles" dict .Values.config -}}
{{- $flavour := default "spark-application" (get (default dict $profile) "flavour") -}}
{{- if not (has $flavour $.Values.sessions.flavours) -}}
{{- fail (printf "config.kubernetes.profiles.%s has the flavour %s, which the gateway gets no rights for: add it to sessions.flavours." $name $flavour) -}}
{{- end -}}
{{- end -}}
{{- range .Values.config.spark_connect.on_demand.teams -}}
{{- $namespace := dig "spark_connect" "default_namespace_pattern" "sjns-{team}-{environment}" $.Values.config | replace "{team}" (toString .team) | replace "{environment}" (toString .environment) -}}
{{- if and $.Values.sessions.namespaces (not (has $namespace $.Values.sessions.namespaces)) -}}
{{- fail (printf "config.spark_connect.on_demand.teams lists team %s in %s, whose namespace %s is not in sessions.namespaces: add it, or take the pair out." .team .environment $namespace) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.postgresql.ownerSecret (not .Values.migrate.enabled) -}}
{{- fail "postgresql.ownerSecret is for `migrate` alone, and migrate.enabled is false; take one out." -}}
{{- end -}}
{{- end -}}
