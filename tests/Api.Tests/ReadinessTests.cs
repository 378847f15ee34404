using Microsoft.Extensions.Time.Testing;
using SparkGateway.Api.Health;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Api.Tests;

public sealed class ReadinessTests
{
    private readonly FakeTimeProvider time = new();

    [Fact]
    public async Task Report_OneComponentNotReady_SaysWhich()
    {
        var report = await Ask(new Check("a", () => Task.FromResult(ReadinessResult.Ready())), new Check("b", () => Task.FromResult(ReadinessResult.NotReady("no store"))));

        Assert.False(report.Ready);
        Assert.Equal([new ComponentReport("a", true, false, "ok"), new ComponentReport("b", false, false, "no store")], report.Components);
        Assert.Equal("not ready\na: ready: ok\nb: not ready: no store\n", report.Text);
    }

    [Fact]
    public async Task Report_WhatAllReplicasShareFails_IsToldAndTakesNoneOut()
    {
        var report = await Ask(new Check("store", () => Task.FromResult(ReadinessResult.NotReady("it is down"))) { IsShared = true });

        Assert.Equal((true, true), (report.Ready, report.Degraded));
        Assert.Equal("degraded\nstore: degraded: it is down\n", report.Text);
    }

    [Fact]
    public async Task Report_ComponentThatWorksInPart_StaysReady()
    {
        var report = await Ask(new Check("platform", () => Task.FromResult(ReadinessResult.Degraded("no Spark"))));

        Assert.Equal([new ComponentReport("platform", true, true, "no Spark")], report.Components);
    }

    [Fact]
    public async Task Report_CheckThatHangs_CountsAsNotReadyAfterTheLimit()
    {
        var hung = Ask(new Check("a", () => new TaskCompletionSource<ReadinessResult>().Task));
        Assert.False(hung.IsCompleted);

        time.Advance(TimeSpan.FromSeconds(2));

        Assert.Contains("no answer within 2 s", Assert.Single((await hung).Components).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_CheckThatThrows_ShowsNoMessage()
    {
        var report = await Ask(new Check("a", () => throw new InvalidOperationException("Password=hush")));

        Assert.Equal("the check failed: InvalidOperationException", Assert.Single(report.Components).Reason);
    }

    private Task<ReadinessReport> Ask(params IReadinessCheck[] checks) => new Readiness(checks, new GatewayOptions(), time).ReportAsync(CancellationToken.None);

    private sealed class Check(string name, Func<Task<ReadinessResult>> answer) : IReadinessCheck
    {
        public string Name => name;

        public bool IsShared { get; init; }

        public ValueTask<ReadinessResult> CheckAsync(CancellationToken cancellation) => new(answer());
    }
}
