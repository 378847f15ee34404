namespace SparkGateway.Infrastructure.Options;

/// <summary>The section kubernetes: how the API server is reached and watched.</summary>
public sealed partial class KubernetesOptions
{
    /// <summary>Empty: the pod's service account, else KUBECONFIG, else ~/.kube/config. ClusterProxyUrl wins over all.</summary>
    public string Kubeconfig { get; set; } = "";

    /// <summary>Empty: the kubeconfig's current one.</summary>
    public string Context { get; set; } = "";

    /// <summary>File with the bearer token for ClusterProxyUrl.</summary>
    public string ProxyTokenFile { get; set; } = "";

    /// <summary>CA certificates for ClusterProxyUrl; empty: the system's.</summary>
    public string ProxyCaFile { get; set; } = "";

    /// <summary>Where sessions may be; empty: in all namespaces.</summary>
    public List<string> Namespaces { get; set; } = [];

    public int RequestsPerSecond { get; set; } = 20;

    /// <summary>Requests that need not wait for their turn.</summary>
    public int RequestBurst { get; set; } = 40;

    /// <summary>For one try.</summary>
    public int RequestTimeoutSeconds { get; set; } = 15;

    /// <summary>For all tries of a call together, with the waits between them.</summary>
    public int CallLimitSeconds { get; set; } = 60;

    /// <summary>Of a call that may be repeated, after the first try.</summary>
    public int RetryAttempts { get; set; } = 10;

    public int ConnectSeconds { get; set; } = 10;

    /// <summary>Of silence on a connection with open requests, after which the API server is asked whether it lives.</summary>
    public int PingSeconds { get; set; } = 30;

    public int PingTimeoutSeconds { get; set; } = 15;

    /// <summary>For the command of a kubeconfig that gives a credential.</summary>
    public int CredentialCommandSeconds { get; set; } = 60;

    /// <summary>How often files with tokens and certificates are read again.</summary>
    public int CredentialPollSeconds { get; set; } = 50;

    public int ListPageItems { get; set; } = 500;

    public int MaxResponseMegabytes { get; set; } = 64;

    /// <summary>What is kept of a pod's log, from its end.</summary>
    public int LogTailKilobytes { get; set; } = 64;

    /// <summary>After which the API server is asked to end a watch: this long to twice as long.</summary>
    public int WatchTimeoutSeconds { get; set; } = 300;

    /// <summary>A watch that said nothing for so long is broken.</summary>
    public int WatchSilenceSeconds { get; set; } = 150;

    public int WatchMaxLineMegabytes { get; set; } = 8;

    /// <summary>How long the watch of a namespace rests that was missing or forbidden from the start.</summary>
    public int WatchParkSeconds { get; set; } = 60;

    /// <summary>Before the first repetition; doubled for each further one, each a random part of it.</summary>
    public int BackoffMilliseconds { get; set; } = 800;

    public int BackoffMaxSeconds { get; set; } = 30;

    /// <summary>Without a failure, after which a watch begins with the shortest back-off again.</summary>
    public int BackoffResetSeconds { get; set; } = 120;
}
