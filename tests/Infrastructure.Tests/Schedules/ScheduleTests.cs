using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace SparkGateway.Infrastructure.Tests.Schedules;

/// <summary>
/// Searches the interleavings of replicas over one store. A failing seed is printed with the fewest operations that still fail and every
/// step; SPARK_GATEWAY_SCHEDULE_SEED plays that seed alone, SPARK_GATEWAY_SCHEDULES says how many are played.
/// </summary>
public sealed class ScheduleTests
{
    private const string CountVariable = "SPARK_GATEWAY_SCHEDULES";
    private const string SeedVariable = "SPARK_GATEWAY_SCHEDULE_SEED";
    private const int Workers = 2;

    /// <summary>So many schedules come by each change that there is.</summary>
    private const int EnoughForAll = 1_000;

    /// <summary>Each bug was found by far fewer.</summary>
    private const int MostForABug = 1_000;

    private static readonly string[] All =
    [
        "open", "attach", "bind", "ready", "release", "extend", "deny", "adopt",
        "ending idle", "ending max_ttl", "ending released", "ending closed_by_operator",
        "end idle", "end max_ttl", "end released", "end closed_by_operator", "end crashed", "end lost", "end start_failed", "end start_abandoned", "end replaced",
    ];

    [Theory]
    [InlineData("sqlite", 300)]
    [InlineData("postgres", 30)]
    public async Task AnySchedule_OfReplicasOverOneStore_KeepsTheRules(string kind, int count)
    {
        var (first, last) = (0, int.TryParse(Environment.GetEnvironmentVariable(CountVariable), out var asked) ? asked : count);
        if (int.TryParse(Environment.GetEnvironmentVariable(SeedVariable), out var only)) (first, last) = (only, only + 1);

        var search = new Search(static (stores, _) => stores);
        await search.RunAsync(kind, first, last, Workers);

        Assert.True(search.Found is null, search.Found?.ToString());
        TestContext.Current.SendDiagnosticMessage(search.ToString());
        if (last - first >= EnoughForAll) Assert.Empty(All.Except(search.Seen.Keys));
    }

    public static TheoryData<string> Bugs() => [.. BrokenStore.Bugs.Keys];

    [Theory]
    [MemberData(nameof(Bugs))]
    public async Task AnySchedule_WithABugInTheStore_IsFound(string bug)
    {
        var search = new Search((stores, database) => BrokenStore.With(bug, stores, database));
        await search.RunAsync("sqlite", 0, MostForABug, Workers);

        Assert.NotNull(search.Found);
        TestContext.Current.SendDiagnosticMessage($"{bug}: seed {search.Found.Seed}, {search.Found.Operations.Count} operations left: {search.Found.Wrong}");
    }

    [Fact]
    public async Task Seed_PlayedTwice_GoesTheSameWay()
    {
        await using var database = await ScheduleDatabase.CreateAsync("sqlite");
        for (var seed = 0; seed < 10; seed++)
        {
            var steps = Enumerable.Range(0, 2).Select(_ =>
            {
                var simulation = new Simulation(seed, database, Operation.Draw(new Random(seed)), static (stores, _) => stores);
                Assert.Null(simulation.Run());
                return simulation.Scheduler.Steps;
            }).ToList();
            Assert.Equal(steps[0], steps[1]);
        }
    }
}

internal sealed record Finding(int Seed, string Wrong, IReadOnlyList<Operation> Operations, IReadOnlyList<string> Steps)
{
    private const int ShownSteps = 400;

    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"Seed {Seed}: {Wrong}").AppendLine(string.Join(", ", Operations));
        if (Steps.Count > ShownSteps) text.AppendLine(CultureInfo.InvariantCulture, $"... {Steps.Count - ShownSteps} steps before");
        return text.AppendJoin('\n', Steps.TakeLast(ShownSteps)).ToString();
    }
}

internal sealed class Search(Func<Replicated, ScheduleDatabase, Replicated> change)
{
    private Finding? found;
    private long steps;
    private int played;

    /// <summary>The first failing seed, made small; null: there is none.</summary>
    public Finding? Found => Volatile.Read(ref found);

    /// <summary>What was in the audit, and how often.</summary>
    public ConcurrentDictionary<string, int> Seen { get; } = new();

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{played} schedules, {steps} steps: {string.Join(", ", Seen.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value}"))}");

    public Task RunAsync(string kind, int first, int last, int workers)
    {
        var next = first - 1;
        return Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Factory.StartNew(WorkAsync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));

        async Task WorkAsync()
        {
            await using var database = await ScheduleDatabase.CreateAsync(kind);
            for (var seed = Interlocked.Increment(ref next); seed < last && Found is null; seed = Interlocked.Increment(ref next))
                if (Play(seed, database, Operation.Draw(new Random(seed))) is { } failed) Interlocked.CompareExchange(ref found, Shrink(failed, database), null);
        }
    }

    public Finding? Play(int seed, ScheduleDatabase database, IReadOnlyList<Operation> operations)
    {
        var simulation = new Simulation(seed, database, operations, change);
        var wrong = simulation.Run();
        Interlocked.Increment(ref played);
        Interlocked.Add(ref steps, simulation.Scheduler.Steps.Count);
        foreach (var row in simulation.Rows.Audit) Seen.AddOrUpdate(row.Action is "deny" || row.Reason is null ? row.Action : $"{row.Action} {row.Reason}", 1, (_, count) => count + 1);
        return wrong is null ? null : new Finding(seed, wrong, operations, simulation.Scheduler.Steps);
    }

    /// <summary>Leaves out one operation after the other, as long as the schedule still fails.</summary>
    private Finding Shrink(Finding failed, ScheduleDatabase database)
    {
        for (var n = failed.Operations.Count - 1; n >= 0; n--)
        {
            var fewer = failed.Operations.Where((_, at) => at != n).ToList();
            if (Play(failed.Seed, database, fewer) is { } smaller) failed = smaller;
        }

        return failed;
    }
}
