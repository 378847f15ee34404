using System.Diagnostics.CodeAnalysis;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.OpenSession;

/// <summary>One start in progress: who waits for it, and what ends it when nobody does any more.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A late grace timer may still cancel the source, which holds nothing that needs disposal.")]
internal sealed class Launch(Session session, TimeProvider time, TimeSpan grace, Func<Task<bool>> isAwaitedElsewhere)
{
    private readonly Lock gate = new();
    private readonly CancellationTokenSource abandon = new();
    private readonly TaskCompletionSource<Result<Route>?> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITimer? timer;
    private int waiters;
    private bool isOver;

    public Session Session { get; } = session;

    /// <summary>Null: another replica has taken the start over.</summary>
    public Task<Result<Route>?> Done => done.Task;

    /// <summary>Nobody waited for the whole grace time, on whichever replica.</summary>
    public CancellationToken Abandoned => abandon.Token;

    /// <summary>The grace time runs from the beginning: the winner may be gone before it waits.</summary>
    public void Arm()
    {
        lock (gate) Arm_NeedsLock();
    }

    public void Join()
    {
        lock (gate)
        {
            waiters++;
            timer?.Dispose();
            timer = null;
        }
    }

    public void Leave()
    {
        lock (gate)
        {
            if (--waiters == 0) Arm_NeedsLock();
        }
    }

    public void Complete(Result<Route>? result)
    {
        lock (gate)
        {
            isOver = true;
            timer?.Dispose();
            timer = null;
        }

        done.TrySetResult(result);
    }

    private void Arm_NeedsLock()
    {
        if (isOver) return;
        timer?.Dispose();
        timer = time.CreateTimer(static launch => _ = ((Launch)launch!).GiveUpAsync(), this, grace, Timeout.InfiniteTimeSpan);
    }

    private async Task GiveUpAsync()
    {
        if (!IsDeserted()) return;
        if (!await isAwaitedElsewhere()) GiveUp();
        else Rearm();
    }

    private bool IsDeserted()
    {
        lock (gate) return !isOver && waiters == 0;
    }

    private void Rearm()
    {
        lock (gate)
        {
            if (waiters == 0) Arm_NeedsLock();
        }
    }

    /// <summary>What hangs on the token runs outside the gate. A waiter who joins in between reads that the start was given up.</summary>
    private void GiveUp()
    {
        if (IsDeserted()) abandon.Cancel();
    }
}
