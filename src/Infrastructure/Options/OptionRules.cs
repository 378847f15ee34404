namespace SparkGateway.Infrastructure.Options;

/// <summary>What each key may be: one line for each key, in the order of gateway.yml. Rules across keys are in Rules/.</summary>
internal static class OptionRules
{
    private const int Day = 86_400;
    private const int Gibibyte = 1_073_741_824;

    private static readonly Dictionary<string, ValueRule> Table = new(StringComparer.Ordinal)
    {
        ["cluster_proxy_url"] = ValueRule.Url,
        ["vault_address"] = ValueRule.Url,
        ["vault_approle_file_path"] = ValueRule.FilePath,
        ["vault_mount_path"] = ValueRule.AnyText,
        ["vault_token_secret_path"] = ValueRule.AnyText,
        ["state_dir"] = ValueRule.Required,
        ["driver_token_key_file"] = ValueRule.FilePath,
        ["config_poll_seconds"] = ValueRule.Whole(1, 3600),
        ["config_settle_milliseconds"] = ValueRule.Whole(0, 60_000),

        ["log.format"] = ValueRule.OneOf("text", "json"),
        ["log.level"] = ValueRule.OneOf("trace", "debug", "info", "warning", "error"),
        ["log.queue_lines"] = ValueRule.Whole(100, 1_000_000),

        ["spark_connect.enabled"] = ValueRule.FlagValue,
        ["spark_connect.bind"] = ValueRule.IpAddress,
        ["spark_connect.port"] = ValueRule.Port,
        ["spark_connect.public_address"] = ValueRule.HostAndPortOrEmpty,
        ["spark_connect.idle_timeout_minutes"] = ValueRule.Above0(43_200),
        ["spark_connect.max_ttl_hours"] = ValueRule.Above0(8_760),
        ["spark_connect.max_ttl_notice_minutes"] = ValueRule.Whole(0, 1440),
        ["spark_connect.expiry_interval_seconds"] = ValueRule.Whole(1, 3600),
        ["spark_connect.expiry_hold_seconds"] = ValueRule.Whole(0, 3600),
        ["spark_connect.busy_grace_seconds"] = ValueRule.Whole(1, 3600),
        ["spark_connect.ending_grace_seconds"] = ValueRule.Whole(0, 60),
        ["spark_connect.tombstone_hours"] = ValueRule.Whole(1, 8_760),
        ["spark_connect.default_namespace_pattern"] = ValueRule.NamespacePattern,
        ["spark_connect.tls.cert_file"] = ValueRule.FilePath,
        ["spark_connect.tls.key_file"] = ValueRule.FilePath,
        ["spark_connect.token_file"] = ValueRule.FilePath,
        ["spark_connect.start_limit_seconds"] = ValueRule.Whole(1, 3600),
        ["spark_connect.start_grace_seconds"] = ValueRule.Whole(0, 3600),
        ["spark_connect.release_linger_seconds"] = ValueRule.Whole(0, Day),
        ["spark_connect.drain_seconds"] = ValueRule.Whole(0, 3600),
        ["spark_connect.headers.session_name[]"] = ValueRule.HeaderName,
        ["spark_connect.headers.namespace[]"] = ValueRule.HeaderName,
        ["spark_connect.headers.team[]"] = ValueRule.HeaderName,
        ["spark_connect.headers.environment[]"] = ValueRule.HeaderName,
        ["spark_connect.headers.config_prefix"] = ValueRule.ConfigPrefix,
        ["spark_connect.attached[].name"] = ValueRule.Name,
        ["spark_connect.attached[].namespace"] = ValueRule.Label,
        ["spark_connect.attached[].address"] = ValueRule.HostAndPort,
        ["spark_connect.attached[].token_file"] = ValueRule.FilePath,
        ["spark_connect.authorities[].team"] = ValueRule.Label,
        ["spark_connect.authorities[].environment"] = ValueRule.Label,

        ["spark_connect.on_demand.enabled"] = ValueRule.FlagValue,
        ["spark_connect.on_demand.default_team"] = ValueRule.LabelOrEmpty,
        ["spark_connect.on_demand.default_environment"] = ValueRule.LabelOrEmpty,
        ["spark_connect.on_demand.share_connection"] = ValueRule.FlagValue,
        ["spark_connect.on_demand.max_sessions"] = ValueRule.Whole(1, 100_000),
        ["spark_connect.on_demand.max_per_user"] = ValueRule.Whole(1, 100_000),
        ["spark_connect.on_demand.teams[].team"] = ValueRule.Label,
        ["spark_connect.on_demand.teams[].environment"] = ValueRule.Label,
        ["spark_connect.on_demand.teams[].idle_timeout_minutes"] = ValueRule.From0(43_200),
        ["spark_connect.on_demand.teams[].max_ttl_hours"] = ValueRule.From0(8_760),
        ["spark_connect.on_demand.any_team"] = ValueRule.FlagValue,
        ["spark_connect.on_demand.spark_version"] = ValueRule.SparkVersion,
        ["spark_connect.on_demand.driver_cores"] = ValueRule.Cores,
        ["spark_connect.on_demand.driver_memory"] = ValueRule.Memory,
        ["spark_connect.on_demand.executor_instances"] = ValueRule.Whole(0, 10_000),
        ["spark_connect.on_demand.executor_cores"] = ValueRule.Cores,
        ["spark_connect.on_demand.executor_memory"] = ValueRule.Memory,
        ["spark_connect.on_demand.spark_conf[]"] = ValueRule.AnyText,

        ["relay.connection_window_bytes"] = ValueRule.Whole(65_535, Gibibyte),
        ["relay.upward_slack_bytes"] = ValueRule.Whole(0, Gibibyte),
        ["relay.max_frame_bytes"] = ValueRule.Whole(16_384, 16_777_215),
        ["relay.max_concurrent_streams"] = ValueRule.Whole(1, 1_000_000),
        ["relay.parked_bytes_per_connection"] = ValueRule.Whole(0, Gibibyte),
        ["relay.parked_bytes_total"] = ValueRule.Whole(0, int.MaxValue),
        ["relay.max_header_block_bytes"] = ValueRule.Whole(4_096, 1_048_576),
        ["relay.max_header_list_bytes"] = ValueRule.Whole(4_096, 1_048_576),
        ["relay.max_header_fields"] = ValueRule.Whole(20, 10_000),
        ["relay.max_continuation_frames"] = ValueRule.Whole(1, 1_000),
        ["relay.max_routing_bytes"] = ValueRule.Whole(1_024, 1_048_576),
        ["relay.max_queued_control_frames"] = ValueRule.Whole(100, 100_000),
        ["relay.max_connections"] = ValueRule.Whole(1, 1_000_000),
        ["relay.slow_peer_seconds"] = ValueRule.Whole(1, 3600),
        ["relay.driver_connect_seconds"] = ValueRule.Whole(1, 3600),
        ["relay.driver_idle_seconds"] = ValueRule.Whole(1, Day),
        ["relay.keepalive_seconds"] = ValueRule.Whole(1, 7_200),

        ["identity.header"] = ValueRule.AnyText,
        ["identity.trusted_peers[]"] = ValueRule.PeerRange,

        ["store.kind"] = ValueRule.OneOf("sqlite", "postgres"),
        ["store.connection_string_file"] = ValueRule.FilePath,
        ["store.pool_size"] = ValueRule.Whole(1, 1_000),
        ["store.statement_timeout_seconds"] = ValueRule.Whole(1, 600),
        ["store.lock_timeout_seconds"] = ValueRule.Whole(1, 600),
        ["store.heartbeat_seconds"] = ValueRule.Whole(1, 600),
        ["store.dead_after_seconds"] = ValueRule.Whole(3, 3600),
        ["store.activity_seconds"] = ValueRule.Whole(1, 600),
        ["store.follow_seconds"] = ValueRule.Whole(1, 60),
        ["store.race_attempts"] = ValueRule.Whole(1, 100),
        ["store.retry_attempts"] = ValueRule.Whole(1, 1_000),
        ["store.retry_seconds"] = ValueRule.Whole(1, 60),

        ["local.engine"] = ValueRule.OneOf("spark", "sail"),
        ["local.spark_home"] = ValueRule.FilePath,
        ["local.sail"] = ValueRule.Required,
        ["local.max_drivers"] = ValueRule.Whole(1, 1_000),
        ["local.port_range"] = ValueRule.PortRange,
        ["local.driver_memory"] = ValueRule.MemoryOrEmpty,
        ["local.probe_milliseconds"] = ValueRule.Whole(10, 10_000),
        ["local.stop_grace_seconds"] = ValueRule.Whole(0, 300),
        ["local.log_megabytes"] = ValueRule.Whole(1, 1_024),

        ["admin.bind"] = ValueRule.IpAddress,
        ["admin.port"] = ValueRule.Port,
        ["admin.token_file"] = ValueRule.FilePath,
        ["admin.max_connections"] = ValueRule.Whole(1, 10_000),
        ["admin.max_request_bytes"] = ValueRule.Whole(1_024, 1_048_576),
        ["admin.max_page_items"] = ValueRule.Whole(1, 1_000),
        ["admin.max_extension_hours"] = ValueRule.Whole(1, 8_760),

        ["health.port"] = ValueRule.Whole(0, 65_535),
        ["health.check_seconds"] = ValueRule.Whole(1, 60),

        ["batch.enabled"] = ValueRule.FlagValue,
        ["batch.port"] = ValueRule.Port,
    };

    public static IReadOnlyCollection<string> Paths => Table.Keys;

    /// <param name="path">The key's path in the schema; items of a list or map of plain values add "[]".</param>
    public static ValueRule For(string path) => Table[path];
}
