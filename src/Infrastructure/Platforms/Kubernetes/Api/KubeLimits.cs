using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

/// <summary>The bounds of calls and watches, as the section kubernetes sets them.</summary>
internal sealed record KubeLimits(KubernetesOptions Options)
{
    private const int Kilobyte = 1_024;
    private const int Megabyte = 1_048_576;

    public TimeSpan RequestTimeout => TimeSpan.FromSeconds(Options.RequestTimeoutSeconds);

    public TimeSpan CallLimit => TimeSpan.FromSeconds(Options.CallLimitSeconds);

    public TimeSpan CredentialPoll => TimeSpan.FromSeconds(Options.CredentialPollSeconds);

    public TimeSpan WatchSilence => TimeSpan.FromSeconds(Options.WatchSilenceSeconds);

    public TimeSpan WatchPark => TimeSpan.FromSeconds(Options.WatchParkSeconds);

    public TimeSpan BackoffFirst => TimeSpan.FromMilliseconds(Options.BackoffMilliseconds);

    public TimeSpan BackoffMost => TimeSpan.FromSeconds(Options.BackoffMaxSeconds);

    public TimeSpan BackoffReset => TimeSpan.FromSeconds(Options.BackoffResetSeconds);

    public int MaxResponseBytes => Options.MaxResponseMegabytes * Megabyte;

    public int MaxLineBytes => Options.WatchMaxLineMegabytes * Megabyte;

    public int LogTailBytes => Options.LogTailKilobytes * Kilobyte;
}
