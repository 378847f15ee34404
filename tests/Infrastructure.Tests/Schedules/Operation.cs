namespace SparkGateway.Infrastructure.Tests.Schedules;

internal enum Act
{
    Call,
    CallByName,
    Hang,
    HangUp,
    Release,
    Clone,
    Precreate,
    Extend,
    Close,
    Attach,
    CrashDriver,
    KillReplica,
    StartReplica,
    PauseReplica,
    SkewReplica,
    StepStoreClock,
    FailStore,
    Wait,
}

/// <summary>One thing that somebody does. The numbers are taken modulo what there is to choose from at that moment.</summary>
internal readonly record struct Operation(Act Act, int Which, int Where, int Amount)
{
    private static readonly Act[] Deck =
    [
        .. Enumerable.Repeat(Act.Call, 9), .. Enumerable.Repeat(Act.Wait, 5), Act.CallByName, Act.CallByName, Act.Hang, Act.Hang, Act.HangUp,
        Act.Release, Act.Release, Act.Release, Act.Clone, Act.Clone, Act.Precreate, Act.Extend, Act.Close, Act.Attach, Act.CrashDriver,
        Act.KillReplica, Act.StartReplica, Act.PauseReplica, Act.PauseReplica, Act.SkewReplica, Act.StepStoreClock, Act.FailStore, Act.FailStore,
    ];

    public static IReadOnlyList<Operation> Draw(Random random)
    {
        var all = new Operation[random.Next(4, 22)];
        for (var n = 0; n < all.Length; n++) all[n] = new Operation(Deck[random.Next(Deck.Length)], random.Next(1_000), random.Next(1_000), random.Next(1_000));

        // Nothing happens to sessions that are not there.
        all[0] = all[0] with { Act = Act.Call };
        return all;
    }

    public override string ToString() => $"{Act}({Which}, {Where}, {Amount})";
}
