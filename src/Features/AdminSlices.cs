using FluentValidation;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features;

/// <summary>The use cases of operators.</summary>
internal static class AdminSlices
{
    public static IServiceCollection AddAdminSlices(this IServiceCollection services)
    {
        services.AddSingleton<IRequestHandler<PrecreateSession.PrecreateSession.Request, Result<PrecreateSession.PrecreateSession.Opened>>, PrecreateSession.PrecreateSession.Handler>();
        services.AddSingleton<IValidator<PrecreateSession.PrecreateSession.Request>, PrecreateSession.PrecreateSession.Validator>();
        services.AddSingleton<IRequestHandler<CloseSession.CloseSession.Request, Result<CloseSession.CloseSession.Closed>>, CloseSession.CloseSession.Handler>();
        services.AddSingleton<IValidator<CloseSession.CloseSession.Request>, CloseSession.CloseSession.Validator>();
        services.AddSingleton<IRequestHandler<ListSessions.ListSessions.Request, Result<SessionPage>>, ListSessions.ListSessions.Handler>();
        services.AddSingleton<IValidator<ListSessions.ListSessions.Request>, ListSessions.ListSessions.Validator>();
        services.AddSingleton<IRequestHandler<DescribeSession.DescribeSession.Request, Result<DescribeSession.DescribeSession.Description>>, DescribeSession.DescribeSession.Handler>();
        services.AddSingleton<IRequestHandler<ExtendSession.ExtendSession.Request, Result<Session>>, ExtendSession.ExtendSession.Handler>();
        services.AddSingleton<IValidator<ExtendSession.ExtendSession.Request>, ExtendSession.ExtendSession.Validator>();
        services.AddSingleton<IRequestHandler<ReadDriverLog.ReadDriverLog.Request, Result<ReadDriverLog.ReadDriverLog.Log>>, ReadDriverLog.ReadDriverLog.Handler>();
        services.AddSingleton<IValidator<ReadDriverLog.ReadDriverLog.Request>, ReadDriverLog.ReadDriverLog.Validator>();
        return services;
    }
}
