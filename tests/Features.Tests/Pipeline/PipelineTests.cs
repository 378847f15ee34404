using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using FluentValidation;
using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Pipeline;
using Clone = SparkGateway.Features.BindClone.BindClone;

namespace SparkGateway.Features.Tests.Pipeline;

public sealed class PipelineTests
{
    [Fact]
    public async Task Send_InvalidRequest_NeverReachesItsHandler()
    {
        await using var world = new World();
        var parent = await world.ForwardAsync(World.NewKey());

        var result = await world.SendAsync(new Clone.Request(parent, "", Caller.Gateway));

        Assert.Equal(ErrorCode.InvalidArgument, result.Error!.Code);
        Assert.Contains("1 to 128 characters", result.Error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(world.Store.Audit, entry => entry.EndsWith("Clone", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Validation_ManyBrokenRules_AreAllNamed()
    {
        var behavior = new ValidationBehavior<string, Result<int>>([new Refuses("One."), new Refuses("Two.")]);

        var result = await behavior.Handle("", default, () => Task.FromResult(Result<int>.Ok(1)));

        Assert.Equal("One. Two.", result.Error!.Text);
    }

    [Fact]
    public async Task Validation_ResponseThatCannotFail_IsLeftAlone() =>
        Assert.Equal(1, await new ValidationBehavior<string, int>([new Refuses("One.")]).Handle("", default, () => Task.FromResult(1)));

    [Fact]
    public async Task Send_AnyRequest_IsTimedAndTracedWithItsOutcome()
    {
        var measured = new ConcurrentBag<string>();
        using var meter = new MeterListener();
        meter.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "spark_gateway_use_case_duration") listener.EnableMeasurementEvents(instrument);
        };
        meter.SetMeasurementEventCallback<double>((_, _, tags, _) =>
            measured.Add(string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))));
        meter.Start();
        var spans = new ConcurrentBag<string>();
        using var activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == FeatureTelemetry.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span => spans.Add($"{span.OperationName} {span.GetTagItem("outcome")} {span.Status}"),
        };
        ActivitySource.AddActivityListener(activities);
        await using var world = new World();

        await world.ForwardAsync(World.NewKey());
        await world.RefusedAsync(World.NewKey(), headers: new(null, "ns", null, null));

        Assert.Contains("use_case=RelayStream outcome=ok", measured);
        Assert.Contains("use_case=RelayStream outcome=invalid_argument", measured);
        Assert.Contains("RelayStream ok Unset", spans);
        Assert.Contains("RelayStream invalid_argument Error", spans);
    }

    [Fact]
    public void AddFeatures_EveryRequest_HasItsHandler()
    {
        var requests = typeof(FeatureServices).Assembly.GetTypes()
            .Select(type => (Type: type, Contract: type.GetInterfaces().SingleOrDefault(it => it.IsGenericType && it.GetGenericTypeDefinition() == typeof(IRequest<>))))
            .Where(it => it.Contract is not null).ToList();
        var services = new Microsoft.Extensions.DependencyInjection.ServiceCollection();
        FeatureServices.AddFeatures(services);
        FeatureServices.AddClusterSlices(services);

        Assert.NotEmpty(requests);
        foreach (var (type, contract) in requests)
        {
            var handler = typeof(IRequestHandler<,>).MakeGenericType(type, contract!.GetGenericArguments()[0]);
            Assert.Contains(services, service => service.ServiceType == handler);
        }
    }

    private sealed class Refuses : AbstractValidator<string>
    {
        public Refuses(string text) => RuleFor(value => value).Must(_ => false).WithMessage(text);
    }
}
