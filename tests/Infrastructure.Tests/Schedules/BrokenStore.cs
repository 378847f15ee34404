using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Tests.Schedules;

/// <summary>The store with a bug put in: what its methods were given, or find, is changed just before they run.</summary>
[SuppressMessage("Performance", "CA1852:Seal internal types", Justification = "DispatchProxy derives from it.")]
internal class BrokenStore : DispatchProxy
{
    private ISessionStore inner = null!;
    private Action<string, object?[]> spoil = null!;

    /// <summary>One for each condition that a change of the store must not lose.</summary>
    public static IReadOnlyDictionary<string, Action<ScheduleDatabase, string, object?[]>> Bugs { get; } = new Dictionary<string, Action<ScheduleDatabase, string, object?[]>>
    {
        ["MarkEnding without its condition"] = (_, method, arguments) =>
        {
            if (method == nameof(ISessionStore.MarkEndingAsync)) arguments[3] = new EndCondition.Told(Caller.Gateway);
        },
        ["MarkEnding without busy_until"] = (database, method, arguments) =>
        {
            if (method == nameof(ISessionStore.MarkEndingAsync)) database.Execute($"UPDATE sessions SET busy_until = NULL WHERE {Is(arguments[0])}");
        },
        ["MarkReady of a session that has ended"] = (database, method, arguments) =>
        {
            if (method != nameof(ISessionStore.MarkReadyAsync)) return;
            database.Execute($"UPDATE sessions SET state = 'starting', ended_at = NULL, end_reason = NULL WHERE {Is(arguments[0])} AND state = 'ended'");
        },
        ["Open of a client session that is bound"] = (database, method, arguments) =>
        {
            if (method == nameof(ISessionStore.OpenAsync)) database.Execute($"DELETE FROM bindings WHERE hex(key) = '{Convert.ToHexString(((ClientSessionKey)arguments[1]!).Hash())}'");
        },
        ["Release of a client session that is released"] = (database, method, arguments) =>
        {
            if (method == nameof(ISessionStore.ReleaseAsync)) database.Execute($"UPDATE bindings SET state = 'bound' WHERE hex(key) = '{Convert.ToHexString(((ClientSessionKey)arguments[0]!).Hash())}' AND state = 'released'");
        },
        ["TakeOverLaunch of a lease that holds"] = (database, method, arguments) =>
        {
            if (method == nameof(ISessionStore.TakeOverLaunchAsync)) database.Execute($"UPDATE sessions SET launch_lease_until = '2000' WHERE {Is(arguments[0])} AND state = 'starting'");
        },
    };

    public static Replicated With(string bug, Replicated stores, ScheduleDatabase database)
    {
        var proxy = Create<ISessionStore, BrokenStore>();
        var broken = (BrokenStore)(object)proxy;
        (broken.inner, broken.spoil) = (stores.Sessions, (method, arguments) => Bugs[bug](database, method, arguments));
        return stores with { Sessions = proxy };
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        spoil(targetMethod!.Name, args!);
        return targetMethod.Invoke(inner, args);
    }

    private static string Is(object? id) => $"lower(id) = '{id}'";
}
