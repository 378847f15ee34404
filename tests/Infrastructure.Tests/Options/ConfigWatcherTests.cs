using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Tests.Options;

public sealed class ConfigWatcherTests : IAsyncLifetime
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly ConfigFolder folder = new();
    private readonly FakeTimeProvider time = new();
    private readonly EntryLog log = new();
    private readonly Channel<string> lists = Channel.CreateUnbounded<string>();
    private ConfigWatcher watcher = null!;
    private string file = "";

    public async ValueTask InitializeAsync()
    {
        file = folder.Write("gateway.yml", Attached("a"));
        var source = new ConfigSource([file], new Dictionary<string, string>(), []);
        watcher = new ConfigWatcher(source, GatewayConfig.Load(source), time, log);
        watcher.AttachedChanged += list => lists.Writer.TryWrite(string.Join(',', list.Select(item => item.Name)));
        await watcher.StartAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await watcher.StopAsync(CancellationToken.None);
        watcher.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task Watcher_FileChanges_GivesTheNewList()
    {
        await File.WriteAllTextAsync(file, Attached("a", "b"));

        // Fake time may let the file rest between its truncation and its new content.
        while (await Next(lists.Reader) != "a,b")
        {
        }

        Assert.Equal(["a", "b"], watcher.Attached.Select(item => item.Name));
    }

    [Fact]
    public async Task Watcher_FileReplacedByRename_GivesTheNewList()
    {
        Replace(Attached("c"));

        Assert.Equal("c", await Next(lists.Reader));
    }

    [Fact]
    public async Task Watcher_SystemReportsTheChange_NeedsNoPoll()
    {
        const string noSettling = "config:\n  config_settle_milliseconds: 0\n";
        var told = folder.Write("told.yml", noSettling + Attached("a")["config:\n".Length..]);
        var source = new ConfigSource([told], new Dictionary<string, string>(), []);
        using var tellWatcher = new ConfigWatcher(source, GatewayConfig.Load(source), time, log);
        tellWatcher.AttachedChanged += list => lists.Writer.TryWrite(list[0].Name);
        folder.Write("told.yml", noSettling + Attached("b")["config:\n".Length..]);
        await tellWatcher.StartAsync(CancellationToken.None);
        using var limit = new CancellationTokenSource(Deadline);
        Assert.Equal("b", await lists.Reader.ReadAsync(limit.Token));

        // The first look is done and time stands still, so only the system's notice can tell.
        File.Move(folder.Write("new.yml", noSettling + Attached("c")["config:\n".Length..]), told, overwrite: true);

        Assert.Equal("c", await lists.Reader.ReadAsync(limit.Token));
        await tellWatcher.StopAsync(CancellationToken.None);
    }

    /// <summary>A mounted ConfigMap: the file is a link through a folder link that is swapped, which no notice on the file tells.</summary>
    [Fact]
    public async Task Watcher_FolderBehindALinkIsSwapped_GivesTheNewList()
    {
        foreach (var name in (string[])["a", "b"])
        {
            Directory.CreateDirectory(Path.Combine(folder.Root, name));
            folder.Write(Path.Combine(name, "mounted.yml"), Attached(name));
        }

        var data = Path.Combine(folder.Root, "..data");
        Directory.CreateSymbolicLink(data, "a");
        var mounted = Path.Combine(folder.Root, "mounted.yml");
        File.CreateSymbolicLink(mounted, Path.Combine("..data", "mounted.yml"));
        var source = new ConfigSource([mounted], new Dictionary<string, string>(), []);
        using var mountWatcher = new ConfigWatcher(source, GatewayConfig.Load(source), time, log);
        mountWatcher.AttachedChanged += list => lists.Writer.TryWrite(list[0].Name);
        Swap("b");
        await mountWatcher.StartAsync(CancellationToken.None);
        Assert.Equal("b", await Next(lists.Reader));

        // The first look is done, so only the poll can find this.
        Swap("a");

        Assert.Equal("a", await Next(lists.Reader));
        await mountWatcher.StopAsync(CancellationToken.None);

        void Swap(string name)
        {
            Directory.Delete(data);
            Directory.CreateSymbolicLink(data, name);
        }
    }

    [Fact]
    public async Task Watcher_InvalidContent_KeepsTheOldListAndLogsEachProblem()
    {
        Replace("config:\n  spark_connect:\n    attached:\n    - {name: B, namespace: n, address: h}\n");
        var first = await Next(log.Entries);
        var second = await Next(log.Entries);

        Assert.Contains("not used", first, StringComparison.Ordinal);
        Assert.Contains($"{file}:4: spark_connect.attached[0].name", first, StringComparison.Ordinal);
        Assert.Contains("spark_connect.attached[0].address", second, StringComparison.Ordinal);
        Assert.Equal("a", Assert.Single(watcher.Attached).Name);

        Replace(Attached("d"));
        Assert.Equal("d", await Next(lists.Reader));
    }

    [Fact]
    public async Task Watcher_OtherKeysChange_SaysThatTheyWait()
    {
        Replace("config:\n  local:\n    max_drivers: 3\n" + Attached("a")["config:\n".Length..]);

        Assert.Contains("next start", await Next(log.Entries), StringComparison.Ordinal);
        Assert.False(lists.Reader.TryRead(out _));
    }

    private void Replace(string text) => File.Move(folder.Write("new.yml", text), file, overwrite: true);

    /// <summary>Fake time moves until the watcher has looked, waited for the file to rest, and told.</summary>
    private async Task<string> Next(ChannelReader<string> reader)
    {
        using var limit = new CancellationTokenSource(Deadline);
        var next = reader.ReadAsync(limit.Token).AsTask();
        while (!next.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        return await next;
    }

    private static string Attached(params string[] names) =>
        "config:\n  spark_connect:\n    attached:\n" + string.Concat(names.Select((name, i) => $"    - {{name: {name}, namespace: n, address: 'h:{i + 1}'}}\n"));

    private sealed class EntryLog : ILogger<ConfigWatcher>
    {
        private readonly Channel<string> entries = Channel.CreateUnbounded<string>();

        /// <summary>Warnings and errors only.</summary>
        public ChannelReader<string> Entries => entries.Reader;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Warning) entries.Writer.TryWrite(formatter(state, exception));
        }
    }
}
