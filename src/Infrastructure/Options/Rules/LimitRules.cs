namespace SparkGateway.Infrastructure.Options.Rules;

/// <summary>Limits that only make sense together.</summary>
internal static class LimitRules
{
    public static void Check(RuleContext context)
    {
        var options = context.Options;
        var (onDemand, relay, store) = (options.SparkConnect.OnDemand, options.Relay, options.Store);
        AtMost("spark_connect.on_demand.max_per_user", onDemand.MaxPerUser, "spark_connect.on_demand.max_sessions", onDemand.MaxSessions);
        AtMost("relay.parked_bytes_per_connection", relay.ParkedBytesPerConnection, "relay.parked_bytes_total", relay.ParkedBytesTotal);
        AtMost("relay.max_frame_bytes", relay.MaxFrameBytes, "relay.connection_window_bytes", relay.ConnectionWindowBytes);
        AtMost("store.lock_timeout_seconds", store.LockTimeoutSeconds, "store.statement_timeout_seconds", store.StatementTimeoutSeconds);

        if (relay.MaxConnectionsPerAddress > 0 && options.SparkConnect.TrustedProxies.Count == 0)
            context.Warn("relay.max_connections_per_address", "has no effect while spark_connect.trusted_proxies is empty: behind a balancer all clients have its address. Name the balancers there, or your own address if there are none.");
        AtMost("store.activity_seconds", store.ActivitySeconds, "spark_connect.busy_grace_seconds", options.SparkConnect.BusyGraceSeconds);
        if (store.DeadAfterSeconds < 3 * store.HeartbeatSeconds)
            context.Refuse("store.dead_after_seconds", $"{store.DeadAfterSeconds} is less than three heartbeats (store.heartbeat_seconds is {store.HeartbeatSeconds}), so one late heartbeat would end the sessions of a replica that lives; raise it.");

        if (ValueRule.ParsePortRange(options.Local.PortRange) is var (first, last) && last - first + 1 < options.Local.MaxDrivers)
            context.Refuse("local.port_range", $"it holds {last - first + 1} ports for {options.Local.MaxDrivers} drivers (local.max_drivers); widen it, or allow fewer drivers.");

        void AtMost(string key, int value, string boundKey, int bound)
        {
            if (value > bound) context.Refuse(key, $"{value} is more than {boundKey}, which is {bound}; lower the one or raise the other.");
        }
    }
}
