using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace SparkGateway.Infrastructure.Options;

/// <summary>
/// Reads the configuration again when its files change, and tells who asked about a new list of attached sessions.
/// Content that is not valid changes nothing; all other keys wait for the next start.
/// </summary>
public sealed partial class ConfigWatcher : BackgroundService
{
    private readonly ConfigSource source;
    private readonly TimeProvider time;
    private readonly ILogger<ConfigWatcher> logger;

    /// <summary>Any number of hints is one look at the files.</summary>
    private readonly Channel<bool> hints = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private LoadedConfig current;

    public ConfigWatcher(ConfigSource source, LoadedConfig current, TimeProvider time, ILogger<ConfigWatcher> logger)
    {
        this.source = source;
        this.current = current;
        this.time = time;
        this.logger = logger;
    }

    /// <summary>Raised on the watcher's own task, one after the other, with the whole new list. Subscribe before the host starts.</summary>
    public event Action<IReadOnlyList<AttachedOptions>>? AttachedChanged;

    /// <summary>The list that is in force.</summary>
    public IReadOnlyList<AttachedOptions> Attached => Volatile.Read(ref current).Options.SparkConnect.Attached;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (source.Files.Count == 0) return;
        var poll = TimeSpan.FromSeconds(current.Options.ConfigPollSeconds);
        var settle = TimeSpan.FromMilliseconds(current.Options.ConfigSettleMilliseconds);
        var watchers = source.Files.Select(Watch).ToList();
        try
        {
            await using var timer = time.CreateTimer(_ => Hint(), null, poll, poll);
            // The files may have changed between the load and now, so the first look always reads them.
            Hint();
            var known = "";
            while (await hints.Reader.ReadAsync(stoppingToken))
            {
                var seen = Fingerprint();
                if (seen == known) continue;
                while (seen != known)
                {
                    known = seen;
                    await Task.Delay(settle, time, stoppingToken);
                    seen = Fingerprint();
                }

                Reload();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            foreach (var watcher in watchers) watcher?.Dispose();
        }
    }

    private void Hint() => hints.Writer.TryWrite(true);

    /// <summary>Null where the system watches nothing, as without inotify handles: the poll finds the change a little later.</summary>
    private FileSystemWatcher? Watch(string file)
    {
        var path = Path.GetFullPath(file);
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(Path.GetDirectoryName(path)!, Path.GetFileName(path));
            watcher.Changed += (_, _) => Hint();
            watcher.Created += (_, _) => Hint();
            watcher.Renamed += (_, _) => Hint();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception e) when (e is IOException or ArgumentException or PlatformNotSupportedException)
        {
            watcher?.Dispose();
            LogPollingOnly(file, current.Options.ConfigPollSeconds);
            return null;
        }
    }

    private string Fingerprint()
    {
        var all = new StringBuilder();
        foreach (var file in source.Files)
        {
            var content = Files.TryReadConfig(file);
            all.Append(content.TryGet(out var text, out var error) ? text : error.Text).Append('\0');
        }

        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(all.ToString())));
    }

    private void Reload()
    {
        var loaded = GatewayConfig.Load(source);
        if (loaded.Problems.Count > 0)
        {
            foreach (var problem in loaded.Problems) LogProblem(problem.ToString());
            return;
        }

        var before = current;
        Volatile.Write(ref current, loaded);
        var (old, now) = (before.Options.SparkConnect.Attached, loaded.Options.SparkConnect.Attached);
        if (!old.Select(Identity).SequenceEqual(now.Select(Identity)))
        {
            LogAttached(now.Count, old.Count);
            AttachedChanged?.Invoke(now);
        }

        if (Rest(before) != Rest(loaded)) LogRest();
    }

    private static string Rest(LoadedConfig config) => ConfigPrinter.PrintWithout("spark_connect.attached", config.Options);

    private static (string, string, string, string) Identity(AttachedOptions item) => (item.Namespace, item.Name, item.Address, item.TokenFile);

    [LoggerMessage(1, LogLevel.Information, "The configuration lists {Count} attached sessions now, {Before} before")]
    private partial void LogAttached(int count, int before);

    [LoggerMessage(2, LogLevel.Error, "The changed configuration is not used, the earlier one stays in force: {Problem}")]
    private partial void LogProblem(string problem);

    [LoggerMessage(3, LogLevel.Warning, "Other keys than spark_connect.attached changed in the configuration: they take effect at the next start")]
    private partial void LogRest();

    [LoggerMessage(4, LogLevel.Information, "No change notices for {File}: it is read every {Seconds} s instead")]
    private partial void LogPollingOnly(string file, int seconds);
}

public static class ConfigRegistration
{
    /// <summary>The options as a singleton, and the watcher over the files that they came from.</summary>
    public static IServiceCollection AddConfig(this IServiceCollection services, ConfigSource source, LoadedConfig config)
    {
        services.AddSingleton(source).AddSingleton(config).AddSingleton(config.Options);
        services.AddSingleton<ConfigWatcher>();
        return services.AddHostedService(provider => provider.GetRequiredService<ConfigWatcher>());
    }
}
