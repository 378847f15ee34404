using SparkGateway.Infrastructure.Relay.Transport;

namespace SparkGateway.Relay.Tests.Transport;

public sealed class SerialLoopTests
{
    private const int Enough = 1_000_000;

    [Fact]
    public async Task Post_ToALoopThatIsNeverDone_GivesItsThreadBack()
    {
        var loop = new Loop();
        var item = new Again(loop);

        loop.Post(item);
        item.Stop();

        Assert.InRange(await item.Runs.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken), 1, Enough - 1);
    }

    [Fact]
    public void Sockets_OfThisRuntime_CanCompleteInline() => Assert.True(InlineCompletions.AreSupported);

    private sealed class Loop : SerialLoop
    {
        protected override void BeforeBatch()
        {
        }

        protected override void AfterBatch()
        {
        }

        protected override void Failed(Exception bug) => Assert.Fail(bug.Message);
    }

    /// <summary>Posts itself until it is stopped.</summary>
    private sealed class Again(Loop loop) : LoopItem
    {
        private readonly TaskCompletionSource<int> end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool isStopped;
        private int runs;

        public Task<int> Runs => end.Task;

        public void Stop() => isStopped = true;

        public override void Run()
        {
            if (++runs < Enough && !isStopped) loop.Post(this);
            else end.TrySetResult(runs);
        }
    }
}
