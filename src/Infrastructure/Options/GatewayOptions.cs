namespace SparkGateway.Infrastructure.Options;

/// <summary>The whole configuration, one property per key of config/gateway.yml (snake case there), with its default.</summary>
public sealed class GatewayOptions
{
    public string ClusterProxyUrl { get; set; } = "";

    public string VaultAddress { get; set; } = "";

    public string VaultApproleFilePath { get; set; } = "";

    public string VaultMountPath { get; set; } = "";

    public string VaultTokenSecretPath { get; set; } = "";

    /// <summary>Folder for the SQLite store, driver logs and generated keys; relative to the working folder.</summary>
    public string StateDir { get; set; } = ".state";

    /// <summary>File with the key that driver tokens derive from; empty: state_dir/driver-token.key, made at the first start.</summary>
    public string DriverTokenKeyFile { get; set; } = "";

    /// <summary>How often the configuration files are read again where the system reports no change, as on mounted volumes.</summary>
    public int ConfigPollSeconds { get; set; } = 5;

    /// <summary>How long a changed file must rest before it is read: editors write in several steps.</summary>
    public int ConfigSettleMilliseconds { get; set; } = 250;

    /// <summary>Where drivers run: local or kubernetes.</summary>
    public string Platform { get; set; } = "local";

    public LogOptions Log { get; set; } = new();

    public TelemetryOptions Telemetry { get; set; } = new();

    public SparkConnectOptions SparkConnect { get; set; } = new();

    public RelayOptions Relay { get; set; } = new();

    public IdentityOptions Identity { get; set; } = new();

    public StoreOptions Store { get; set; } = new();

    public LocalOptions Local { get; set; } = new();

    public KubernetesOptions Kubernetes { get; set; } = new();

    public AdminOptions Admin { get; set; } = new();

    public HealthOptions Health { get; set; } = new();

    public BatchOptions Batch { get; set; } = new();
}

public sealed class SparkConnectOptions
{
    public bool Enabled { get; set; } = true;

    /// <summary>Address to listen on; 0.0.0.0 and :: are all addresses.</summary>
    public string Bind { get; set; } = "0.0.0.0";

    public int Port { get; set; } = 15002;

    /// <summary>host:port as clients reach the gateway, for the connection strings that it gives out; empty: as seen from its own machine.</summary>
    public string PublicAddress { get; set; } = "";

    public decimal IdleTimeoutMinutes { get; set; } = 30;

    public decimal MaxTtlHours { get; set; } = 4;

    /// <summary>A session that is this close to its max TTL is announced in log and metrics.</summary>
    public int MaxTtlNoticeMinutes { get; set; } = 10;

    /// <summary>How often sessions are looked for that have to end.</summary>
    public int ExpiryIntervalSeconds { get; set; } = 60;

    /// <summary>No session ends as idle for so long after the start of a replica, or after the store failed it.</summary>
    public int ExpiryHoldSeconds { get; set; } = 90;

    /// <summary>How long a session still counts as used after a replica last saw open calls of it, or one that broke.</summary>
    public int BusyGraceSeconds { get; set; } = 300;

    /// <summary>Between the decision to end a session and the end of its driver.</summary>
    public int EndingGraceSeconds { get; set; } = 5;

    /// <summary>How long an ended session is remembered, so that its clients are told why it ended.</summary>
    public int TombstoneHours { get; set; } = 168;

    /// <summary>Namespace of an on-demand session; {team} and {environment} are filled in.</summary>
    public string DefaultNamespacePattern { get; set; } = "sjns-{team}-{environment}";

    /// <summary>Addresses of proxies that name their clients in a PROXY protocol header, version 2; empty: none does.</summary>
    public List<string> TrustedProxies { get; set; } = [];

    public TlsOptions Tls { get; set; } = new();

    public string TokenFile { get; set; } = "";

    public int StartLimitSeconds { get; set; } = 300;

    public int StartGraceSeconds { get; set; } = 120;

    public int ReleaseLingerSeconds { get; set; } = 60;

    public int DrainSeconds { get; set; } = 30;

    /// <summary>Before a session ends as idle its driver is asked whether queries run.</summary>
    public bool ProtectRunningQueries { get; set; }

    /// <summary>How long that may take.</summary>
    public int DriverAskSeconds { get; set; } = 3;

    /// <summary>Before a stop: how long /readyz says so while connections are still accepted.</summary>
    public int DrainNoticeSeconds { get; set; }

    public HeaderNameOptions Headers { get; set; } = new();

    public List<AttachedOptions> Attached { get; set; } = [];

    /// <summary>:authority to team and environment, for clients that can send no header.</summary>
    public Dictionary<string, TeamRefOptions> Authorities { get; set; } = [];

    public OnDemandOptions OnDemand { get; set; } = new();
}

public sealed class TlsOptions
{
    public string CertFile { get; set; } = "";

    public string KeyFile { get; set; } = "";
}

/// <summary>Names of the gateway's own headers, lower case; each is a list, the first is the one that texts show.</summary>
public sealed class HeaderNameOptions
{
    public List<string> SessionName { get; set; } = ["x-spark-session-id"];

    public List<string> Namespace { get; set; } = ["x-spark-namespace"];

    public List<string> Team { get; set; } = ["x-doordash-team", "x-spark-team"];

    public List<string> Environment { get; set; } = ["x-doordash-environment", "x-spark-environment"];

    /// <summary>Session configuration keys with this prefix are read as headers, while a client session is unbound.</summary>
    public string ConfigPrefix { get; set; } = "spark.connect.grpc.header.";
}

public sealed class AttachedOptions
{
    public string Name { get; set; } = "";

    public string Namespace { get; set; } = "";

    /// <summary>host:port.</summary>
    public string Address { get; set; } = "";

    public string TokenFile { get; set; } = "";
}

public class TeamRefOptions
{
    public string Team { get; set; } = "";

    public string Environment { get; set; } = "";
}

/// <summary>A pair that may open sessions, with limits of its own where they are not 0.</summary>
public sealed class TeamOptions : TeamRefOptions
{
    public decimal IdleTimeoutMinutes { get; set; }

    public decimal MaxTtlHours { get; set; }

    /// <summary>Of Kubernetes.Profiles; empty: Kubernetes.DefaultProfile.</summary>
    public string Profile { get; set; } = "";
}

public sealed class OnDemandOptions
{
    public bool Enabled { get; set; } = true;

    public string DefaultTeam { get; set; } = "";

    public string DefaultEnvironment { get; set; } = "";

    public bool ShareConnection { get; set; }

    public int MaxSessions { get; set; } = 100;

    public int MaxPerUser { get; set; } = 5;

    /// <summary>The (team, environment) pairs that may open sessions.</summary>
    public List<TeamOptions> Teams { get; set; } = [];

    /// <summary>Any valid pair may open sessions although teams is empty: for one person's machine.</summary>
    public bool AnyTeam { get; set; }

    public string SparkVersion { get; set; } = "4.1.0";

    public string DriverCores { get; set; } = "2";

    public string DriverMemory { get; set; } = "4g";

    public int ExecutorInstances { get; set; } = 2;

    public string ExecutorCores { get; set; } = "2";

    public string ExecutorMemory { get; set; } = "4g";

    /// <summary>More Spark settings for each driver.</summary>
    public Dictionary<string, string> SparkConf { get; set; } = [];
}

/// <summary>Limits of the data plane. Sizes in bytes unless the name says otherwise.</summary>
public sealed class RelayOptions
{
    /// <summary>Connection window towards each driver, and towards each client: what can be held for a slow peer.</summary>
    public int ConnectionWindowBytes { get; set; } = 1_048_576;

    /// <summary>Upwards, how far grants to clients may run ahead of a driver's own connection window.</summary>
    public int UpwardSlackBytes { get; set; } = 262_144;

    public int MaxFrameBytes { get; set; } = 65_536;

    /// <summary>What the kernel may hold unsent for one peer, on Linux.</summary>
    public int MaxUnsentBytes { get; set; } = 262_144;

    /// <summary>Of silence on all connections, after which memory is given back; 0: never.</summary>
    public int CollectAfterSeconds { get; set; } = 3;

    public int MaxConcurrentStreams { get; set; } = 10_000;

    public int ParkedBytesPerConnection { get; set; } = 4 * 1024 * 1024;

    public int ParkedBytesTotal { get; set; } = 256 * 1024 * 1024;

    public int MaxHeaderBlockBytes { get; set; } = 32 * 1024;

    public int MaxHeaderListBytes { get; set; } = 32 * 1024;

    public int MaxHeaderFields { get; set; } = 200;

    public int MaxContinuationFrames { get; set; } = 8;

    /// <summary>How many bytes of a call's first message are searched for the session and the user.</summary>
    public int MaxRoutingBytes { get; set; } = 16 * 1024;

    public int MaxQueuedControlFrames { get; set; } = 1_000;

    public int MaxQueuedHeaderBytes { get; set; } = 16 * 1024 * 1024;

    public int MaxResetsPerSecond { get; set; } = 500;

    public int ResetLingerSeconds { get; set; } = 1;

    public int MaxSettingsPerSecond { get; set; } = 20;

    public int MaxPingsPerSecond { get; set; } = 1_000;

    public int MaxWindowUpdatesPerSecond { get; set; } = 10_000;

    public int MaxLateFramesPerSecond { get; set; } = 10_000;

    public int MaxVoidFramesPerSecond { get; set; } = 1_000;

    public int MaxEmptyDataFrames { get; set; } = 1;

    public int MaxConnections { get; set; } = 10_000;

    /// <summary>Of one client address, with SparkConnect.TrustedProxies only; 0: no such limit.</summary>
    public int MaxConnectionsPerAddress { get; set; }

    /// <summary>For the preface, for a started header block and for a call's first message, each.</summary>
    public int SlowPeerSeconds { get; set; } = 10;

    public int DriverConnectSeconds { get; set; } = 10;

    public int DriverIdleSeconds { get; set; } = 300;

    /// <summary>TCP keepalive on both sides finds peers that vanished.</summary>
    public int KeepaliveSeconds { get; set; } = 60;
}

public sealed class IdentityOptions
{
    /// <summary>Names the user of a call, where a trusted peer sends it; never passed to a driver.</summary>
    public string Header { get; set; } = "";

    /// <summary>Whose header is believed: the addresses of sockets, whatever a PROXY protocol header says.</summary>
    public List<string> TrustedPeers { get; set; } = [];

    /// <summary>Each call has such a user, and its messages are changed so that the driver sees no other.</summary>
    public bool Enforce { get; set; }
}

public sealed class StoreOptions
{
    /// <summary>sqlite or postgres.</summary>
    public string Kind { get; set; } = "sqlite";

    public string ConnectionStringFile { get; set; } = "";

    public int PoolSize { get; set; } = 20;

    public int StatementTimeoutSeconds { get; set; } = 10;

    public int LockTimeoutSeconds { get; set; } = 5;

    /// <summary>For the turn of an open behind the others of this replica.</summary>
    public int TurnTimeoutSeconds { get; set; } = 60;

    /// <summary>How often a replica says that it lives.</summary>
    public int HeartbeatSeconds { get; set; } = 10;

    /// <summary>A replica that was silent for so long is dead.</summary>
    public int DeadAfterSeconds { get; set; } = 60;

    /// <summary>A start that was not renewed for so long is another replica's to take over.</summary>
    public int LaunchLeaseSeconds { get; set; } = 30;

    /// <summary>How often the use of sessions is written down.</summary>
    public int ActivitySeconds { get; set; } = 10;

    /// <summary>How often a replica asks which sessions have ended on others.</summary>
    public int FollowSeconds { get; set; } = 2;

    /// <summary>How often a change that lost a race against another is run.</summary>
    public int RaceAttempts { get; set; } = 8;

    /// <summary>How often a change that nobody would repeat is tried while the store cannot be reached.</summary>
    public int RetryAttempts { get; set; } = 300;

    public int RetrySeconds { get; set; } = 2;
}

public sealed class LocalOptions
{
    /// <summary>spark or sail.</summary>
    public string Engine { get; set; } = "spark";

    public string SparkHome { get; set; } = "";

    /// <summary>The sail program, by path or by name on PATH.</summary>
    public string Sail { get; set; } = "sail";

    public int MaxDrivers { get; set; } = 8;

    public string PortRange { get; set; } = "20000-29999";

    /// <summary>Heap of each local driver; empty: spark_connect.on_demand.driver_memory.</summary>
    public string DriverMemory { get; set; } = "1g";

    /// <summary>How often a starting driver is asked whether it is ready.</summary>
    public int ProbeMilliseconds { get; set; } = 250;

    /// <summary>How long a driver that was told to end may take before it is killed.</summary>
    public int StopGraceSeconds { get; set; } = 5;

    /// <summary>Size at which a driver's log file is put aside as NAME.log.1 and begun anew.</summary>
    public int LogMegabytes { get; set; } = 16;
}

public sealed class AdminOptions
{
    public string Bind { get; set; } = "127.0.0.1";

    public int Port { get; set; } = 8080;

    /// <summary>File with the bearer tokens of operators; empty: state_dir/admin.tokens, made at the first start.</summary>
    public string TokenFile { get; set; } = "";

    /// <summary>Open connections to admin.port and health.port together.</summary>
    public int MaxConnections { get; set; } = 200;

    /// <summary>Bytes of a request's body.</summary>
    public int MaxRequestBytes { get; set; } = 65_536;

    /// <summary>Sessions on one page of a list.</summary>
    public int MaxPageItems { get; set; } = 200;

    /// <summary>How far ahead an operator may move a session's max TTL.</summary>
    public int MaxExtensionHours { get; set; } = 24;
}

public sealed class BatchOptions
{
    public bool Enabled { get; set; }

    public int Port { get; set; } = 50051;
}
