using System.Text.Json;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Testing.Fakes;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes.Api;

/// <summary>A watch whose API server says what no real one can be made to say, at the byte.</summary>
public sealed class ScriptedWatchTests : IAsyncLifetime
{
    private readonly ScriptedApi server = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Events_InPiecesOfAByte_AreApplied()
    {
        await using var gateway = server.Client();
        await using var watch = new RunningWatch(gateway);
        await ListAsync(5);

        using var call = await WatchAsync(5);
        foreach (var c in Event("ADDED", "a", "ü", 6)) await call.WriteAsync($"{c}");

        await watch.UntilAsync(() => watch.Changes.SequenceEqual(["Added a=ü"]));
        Assert.True(watch.Watch.IsSynced);
        Assert.Null(watch.Watch.Trouble);
    }

    [Fact]
    public async Task AnswerEndsInMidLine_GoesOnFromTheLastWholeOne()
    {
        await using var gateway = server.Client();
        await using var watch = new RunningWatch(gateway);
        await ListAsync(5);

        using (var call = await WatchAsync(5)) await call.WriteAsync(Event("ADDED", "a", "", 6) + Event("ADDED", "b", "", 7)[..40]);
        using var next = await WatchAsync(6);
        await next.WriteAsync(Event("ADDED", "b", "", 7));

        await watch.UntilAsync(() => watch.Changes.SequenceEqual(["Added a=", "Added b="]));
    }

    [Theory]
    [InlineData(410, "Expired", true)]
    [InlineData(429, "TooManyRequests", false)]
    [InlineData(500, "InternalError", false)]
    [InlineData(504, "Timeout", false)]
    [InlineData(422, "Invalid", true)]
    public async Task StatusInMidStream_ListsAnewOrGoesOn(int code, string reason, bool listsAnew)
    {
        await using var gateway = server.Client();
        await using var watch = new RunningWatch(gateway);
        await ListAsync(5);

        using var call = await WatchAsync(5);
        await call.WriteAsync(Event("BOOKMARK", "", "", 6) + Line("ERROR", new { kind = "Status", status = "Failure", code, reason, message = "no" }));

        if (listsAnew) await ListAsync(9);
        using var next = await WatchAsync(listsAnew ? 9 : 6);
    }

    [Fact]
    public async Task HttpGone_ListsAnewAndTellsWhatVanished()
    {
        await using var gateway = server.Client();
        await using var watch = new RunningWatch(gateway);
        await ListAsync(5, ("a", "1", 3), ("b", "1", 4), ("c", "1", 5));

        await (await server.NextAsync()).AnswerAsync(410, """{"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}""");
        await ListAsync(9, ("b", "1", 4), ("c", "2", 8), ("d", "1", 9));

        await watch.UntilAsync(() => watch.Changes.Contains("Added d=1"));
        Assert.Equal(["Added a=1", "Added b=1", "Added c=1", "Deleted a=1", "Modified c=2", "Added d=1"], watch.Changes);
    }

    [Fact]
    public async Task NameWithAnotherUid_IsADeletionAndAnAddition()
    {
        await using var gateway = server.Client();
        await using var watch = new RunningWatch(gateway);
        await ListAsync(5, ("a", "old", 3));

        using var call = await WatchAsync(5);
        await call.WriteAsync(Line("MODIFIED", Body("a", "new", 8, uid: "other")) + Event("DELETED", "a", "late word of the old one", 9));
        await call.WriteAsync(Event("ADDED", "b", "", 10));

        await watch.UntilAsync(() => watch.Changes.Contains("Added b="));
        Assert.Equal(["Added a=old", "Deleted a=old", "Added a=new", "Added b="], watch.Changes);
    }

    [Fact]
    public async Task CleanEnd_GoesOnFromTheBookmark()
    {
        await using var gateway = server.Client();
        await using var watch = new RunningWatch(gateway);
        await ListAsync(5);

        using (var call = await WatchAsync(5)) await call.WriteAsync(Event("BOOKMARK", "", "", 70));
        using var next = await WatchAsync(70);

        Assert.Null(watch.Watch.Trouble);
        Assert.InRange(int.Parse(next.Query("timeoutSeconds")), 300, 600);
        Assert.Equal("true", next.Query("allowWatchBookmarks"));
    }

    [Fact]
    public async Task EndAtOnceWithoutAWord_IsAFailure()
    {
        await using var gateway = server.Client();
        await using var watch = new RunningWatch(gateway);
        await ListAsync(5);

        using (await WatchAsync(5))
        {
            // Closed at once.
        }

        await gateway.Logs.Seen("it ended at once, without a word");
        using var next = await WatchAsync(5);
    }

    [Fact]
    public async Task Silence_AfterWords_GoesOnFromTheLastVersion_ElseListsAnew()
    {
        var time = new WatchedTime();
        await using var gateway = server.Client(time: time);
        await using var watch = new RunningWatch(gateway);
        await ListAsync(5);

        using var first = await WatchAsync(5);
        await first.WriteAsync(Event("ADDED", "a", "", 6));
        await watch.UntilAsync(() => watch.Changes.Count == 1);
        await SilenceAsync(time);
        await gateway.Logs.Seen("nothing for 150 s");

        // Nothing at all: its version may be one that this server never reaches.
        using var second = await WatchAsync(6);
        await SilenceAsync(time);
        await ListAsync(9);
    }

    [Theory]
    [InlineData("not json\n", "no JSON")]
    [InlineData("{\"type\": \"ADDED\"}\n", "no event")]
    public async Task LineOfSomethingElse_IsAFailureAndGoesOn(string line, string reason)
    {
        await using var gateway = server.Client();
        await using var watch = new RunningWatch(gateway);
        await ListAsync(5);

        using var call = await WatchAsync(5);
        await call.WriteAsync(line);

        await gateway.Logs.Seen(reason);
        using var next = await WatchAsync(5);
    }

    [Fact]
    public async Task LineWithoutAnEnd_IsCutAtItsBound()
    {
        await using var gateway = server.Client(options => options.WatchMaxLineMegabytes = 1);
        await using var watch = new RunningWatch(gateway);
        await ListAsync(5);

        using var call = await WatchAsync(5);
        await call.FloodAsync();

        await gateway.Logs.Seen("kubernetes.watch_max_line_megabytes");
    }

    [Fact]
    public async Task ListTooLarge_BacksOffNamesTheKeyAndGoesOnOnceItFits()
    {
        await using var gateway = server.Client(options => options.MaxResponseMegabytes = 1);
        await using var watch = new RunningWatch(gateway);

        using (var call = await server.NextAsync())
        {
            await call.BeginAsync();
            await call.FloodAsync();
        }

        await gateway.Logs.Seen("No longer able to watch sparkapplications.sparkoperator.k8s.io in all namespaces");
        Assert.Contains("raise kubernetes.max_response_megabytes", gateway.Logs.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Asking again", gateway.Logs.Text, StringComparison.Ordinal);
        await ListAsync(5, ("a", "1", 3));
        await watch.UntilAsync(() => watch.Changes.SequenceEqual(["Added a=1"]));
    }

    [Fact]
    public async Task ObjectOfAnotherForm_IsPassedOver()
    {
        await using var gateway = server.Client();
        await using var watch = new RunningWatch(gateway);
        await ListAsync(5);

        using var call = await WatchAsync(5);
        await call.WriteAsync(Line("ADDED", new { metadata = new { @namespace = "t", name = "odd", uid = "odd", resourceVersion = "6", labels = new[] { 1 } } }) + Event("ADDED", "a", "", 7));

        await watch.UntilAsync(() => watch.Changes.Contains("Added a="));
        Assert.Equal(["Added odd=", "Added a="], watch.Changes);
    }

    [Fact]
    public async Task KeepThrows_ObjectIsPassedOverAndNamed()
    {
        await using var gateway = server.Client();
        var watch = gateway.Api.Watch(Applications.Kind, null, seen => seen.Json.GetProperty("spec").GetProperty("type").GetString());
        using var stop = new CancellationTokenSource();
        var running = watch.RunAsync(stop.Token);

        await ListAsync(5, ("a", "1", 3));

        await gateway.Logs.Seen("Error: t/a is not of the form of its kind");
        Assert.Empty(watch.Snapshot);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Forbidden_KeepsWhatItKnewAndIsAskedAgainSoon()
    {
        var time = new WatchedTime();
        await using var gateway = server.Client(options => options.Namespaces = ["t"], time);
        await using var watch = new RunningWatch(gateway);
        await ListAsync(5, ("a", "1", 3));

        await (await server.NextAsync()).AnswerAsync(403, """{"kind": "Status", "code": 403, "reason": "Forbidden", "message": "sparkapplications is forbidden: User \"x\" cannot watch resource"}""");
        await gateway.Logs.Seen("No longer able to watch sparkapplications.sparkoperator.k8s.io in namespace t");

        Assert.False(watch.Watch.Sees("t"));
        Assert.True(watch.Watch.IsSynced);
        Assert.Equal(["a"], watch.Names);
        Assert.Contains("add the verb watch", watch.Watch.Trouble, StringComparison.Ordinal);

        // Well below watch_park_seconds: a server that has just started refuses everybody for a moment.
        var again = server.NextAsync();
        for (var second = 0; second < 30 && !again.IsCompleted; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(again, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System));
        }

        Assert.Equal("", (await again.WaitAsync(LocalHarness.Patience)).Query("watch"));
    }

    private async Task ListAsync(int version, params (string Name, string Value, int Version)[] items)
    {
        var body = new { kind = "List", metadata = new { resourceVersion = $"{version}" }, items = items.Select(item => Body(item.Name, item.Value, item.Version)) };
        var call = await server.AnswerAsync(200, JsonSerializer.Serialize(body));
        Assert.Equal(("", ""), (call.Query("watch"), call.Query("resourceVersion")));
    }

    private async Task<ScriptedCall> WatchAsync(int version)
    {
        var call = await server.NextAsync();
        Assert.Equal(("1", $"{version}"), (call.Query("watch"), call.Query("resourceVersion")));
        await call.BeginAsync();
        return call;
    }

    /// <summary>Steps past the silence of the watch that begins.</summary>
    private static async Task SilenceAsync(WatchedTime time)
    {
        await time.TimerAsync(TimeSpan.FromSeconds(150), Cancellation);
        time.Advance(TimeSpan.FromSeconds(150));
    }

    private static object Body(string name, string value, int version, string? uid = null) => new
    {
        kind = "SparkApplication",
        metadata = new { @namespace = "t", name, uid = uid ?? "uid-" + name, resourceVersion = $"{version}", labels = new { n = value } },
    };

    private static string Event(string type, string name, string value, int version) => Line(type, Body(name, value, version));

    private static string Line(string type, object seen) => JsonSerializer.Serialize(new { type, @object = seen }) + "\n";
}
